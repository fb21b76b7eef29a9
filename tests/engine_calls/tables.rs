//! The unit tables of programs.units.

use std::collections::HashMap;

use nonstop::code::{BlockRow, ScopeKind, ScopeRow, SourceUnits, UnitKind, UnitRow};

use super::words::{says_something, Words};

/// The rows of one table.
#[derive(Debug, Default)]
pub struct Table {
    scopes: Vec<ScopeRow>,
    blocks: Vec<BlockRow>,
    units: Vec<UnitRow>,
    line_count: u32,
}

impl Table {
    /// The table as the engine takes it, or its refusal.
    pub fn units(&self) -> Result<SourceUnits, String> {
        SourceUnits::new(self.scopes.clone(), self.blocks.clone(), self.units.clone(), self.line_count)
            .map_err(|refused| refused.to_string())
    }
}

/// All tables by name.
#[derive(Debug, Default)]
pub struct Tables(HashMap<String, Table>);

impl Tables {
    pub fn read(text: &str) -> Result<Self, String> {
        let mut tables = Self::default();
        let mut current = String::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| says_something(line)) {
            tables.line(&mut current, line).map_err(|why| format!("line {number}: {why}"))?;
        }
        Ok(tables)
    }

    pub fn get(&self, name: &str) -> Result<&Table, String> {
        self.0.get(name).ok_or_else(|| format!("there is no table '{name}'"))
    }

    fn line(&mut self, current: &mut String, line: &str) -> Result<(), String> {
        let mut words = Words::read(line)?;
        let first = words.one("a row")?;
        if first == "table" {
            *current = words.one("its name")?;
            let table = Table { line_count: words.number("the number of lines")?, ..Table::default() };
            if self.0.insert(current.clone(), table).is_some() {
                return Err(format!("there are two tables '{current}'"));
            }
            return words.finish();
        }
        let table = self.0.get_mut(current).ok_or("there is no table yet")?;
        match &*first {
            "scope" => table.scopes.push(scope(&mut words)?),
            "block" => table.blocks.push(block(&mut words)?),
            "unit" => table.units.push(unit(&mut words)?),
            other => return Err(format!("there are no rows '{other}'")),
        }
        words.finish()
    }
}

fn scope(words: &mut Words) -> Result<ScopeRow, String> {
    let kind = match &*words.one("its kind")? {
        "module" => ScopeKind::Module,
        "function" => ScopeKind::Function,
        "class" => ScopeKind::Class,
        "lambda" => ScopeKind::Lambda,
        "comprehension" => ScopeKind::Comprehension,
        other => return Err(format!("there is no scope '{other}'")),
    };
    let (first_line, last_line) = (words.number("its first line")?, words.number("its last line")?);
    let (parent, body_block) = (words.number("its parent")?, words.number("its block")?);
    let qualname = words.one("its qualified name")?;
    let name = qualname.rsplit('.').next().unwrap_or(&qualname).to_owned();
    Ok(ScopeRow { kind, name, qualname, first_line, last_line, parent, body_block })
}

fn block(words: &mut Words) -> Result<BlockRow, String> {
    Ok(BlockRow {
        first_line: words.number("its first line")?,
        last_line: words.number("its last line")?,
        parent: words.number("its parent")?,
        scope: words.number("its scope")?,
    })
}

fn unit(words: &mut Words) -> Result<UnitRow, String> {
    let kind = match &*words.one("its kind")? {
        "statement" => UnitKind::Statement,
        "header" => UnitKind::Header,
        "with" => UnitKind::With,
        "match" => UnitKind::Match,
        "lambda" => UnitKind::Lambda,
        "element" => UnitKind::Element,
        other => return Err(format!("there is no unit '{other}'")),
    };
    let (first_line, last_line) = (words.number("its first line")?, words.number("its last line")?);
    let (block, scope) = (words.number("its block")?, words.number("its scope")?);
    let no_code = match words.next().as_deref() {
        None => false,
        Some("no_code") => true,
        Some(other) => return Err(format!("there is no flag '{other}'")),
    };
    // What control does within a unit is the backends' affair: no scenario of calls looks at it.
    Ok(UnitRow {
        kind,
        first_line,
        last_line,
        block,
        scope,
        inner_first: 0,
        inner_last: 0,
        reentered: false,
        no_code,
    })
}
