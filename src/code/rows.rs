//! The rows that a host's parser describes a source file with.

use std::fmt;

/// What kind of code object a scope becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// A module.
    Module,
    /// A function with a name.
    Function,
    /// A class body.
    Class,
    /// A lambda.
    Lambda,
    /// A comprehension or generator expression.
    Comprehension,
}

/// One scope. Row 0 is the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRow {
    /// Its kind.
    pub kind: ScopeKind,
    /// The name of its code object (`co_name`).
    pub name: String,
    /// The qualified name (`co_qualname`).
    pub qualname: String,
    /// The first line of its code object (`co_firstlineno`: the first decorator's).
    pub first_line: u32,
    /// Its last line.
    pub last_line: u32,
    /// The row of the scope around it.
    pub parent: u32,
    /// The row of its outermost block.
    pub body_block: u32,
}

/// One block: statements that run one after the other. Row 0 is the module's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRow {
    /// The line after its header; of a later clause (`elif`, the handlers, `else:`, `finally:`), the line after the one before it.
    pub first_line: u32,
    /// The last line of its last statement.
    pub last_line: u32,
    /// The row of the block around it.
    pub parent: u32,
    /// The row of the scope that it belongs to.
    pub scope: u32,
}

/// What kind of unit a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// A simple statement, or several on one line.
    Statement,
    /// The header of a compound statement.
    Header,
    /// The items of a `with`.
    With,
    /// The subject of a `match`.
    Match,
    /// The body of a lambda.
    Lambda,
    /// An element or condition of a comprehension that begins on a line of its own.
    Element,
}

/// One unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitRow {
    /// Its kind.
    pub kind: UnitKind,
    /// Its first line.
    pub first_line: u32,
    /// Its last line.
    pub last_line: u32,
    /// The row of its block.
    pub block: u32,
    /// The row of its scope.
    pub scope: u32,
    /// First line of the body of a `with`, or of the cases of a `match`; 0: none.
    pub inner_first: u32,
    /// Last line of those.
    pub inner_last: u32,
    /// Whether control can enter it straight from itself: the first statement of the body of `while True`.
    pub reentered: bool,
    /// Whether this interpreter makes no code for it; known when the host compiled the source.
    pub no_code: bool,
}

/// A row that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitsError(String);

impl fmt::Display for UnitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnitsError {}

/// Checks that rows point to rows, and that what is around others comes before them.
pub(super) fn check(
    scopes: &[ScopeRow],
    blocks: &[BlockRow],
    units: &[UnitRow],
    line_count: u32,
) -> Result<(), UnitsError> {
    if scopes.is_empty() || blocks.is_empty() {
        return Err(UnitsError("row 0 of the scopes and of the blocks must be the module".into()));
    }
    let points = |what: &str, row: usize, to: &str, index: u32, count: usize| {
        if (index as usize) < count {
            return Ok(());
        }
        Err(UnitsError(format!("{what} {row} names {to} {index}, but there are {count}")))
    };
    for (row, scope) in scopes.iter().enumerate() {
        points("scope", row, "scope", scope.parent, scopes.len())?;
        points("scope", row, "block", scope.body_block, blocks.len())?;
        if row > 0 && scope.parent as usize >= row {
            return Err(UnitsError(format!(
                "scope {row} comes before scope {}, which is around it",
                scope.parent
            )));
        }
    }
    for (row, block) in blocks.iter().enumerate() {
        points("block", row, "block", block.parent, blocks.len())?;
        points("block", row, "scope", block.scope, scopes.len())?;
        if row > 0 && block.parent as usize >= row {
            return Err(UnitsError(format!(
                "block {row} comes before block {}, which is around it",
                block.parent
            )));
        }
    }
    for (row, unit) in units.iter().enumerate() {
        points("unit", row, "block", unit.block, blocks.len())?;
        points("unit", row, "scope", unit.scope, scopes.len())?;
        if !(1 <= unit.first_line && unit.first_line <= unit.last_line && unit.last_line <= line_count) {
            return Err(UnitsError(format!(
                "unit {row} has the lines {} to {} in a file of {line_count} lines",
                unit.first_line, unit.last_line
            )));
        }
    }
    Ok(())
}
