"""The numbers of a unit table: those of the C ABI (a test compares them)."""

# Kinds of scopes.
MODULE, FUNCTION, CLASS, LAMBDA_SCOPE, COMPREHENSION = range(5)
# Kinds of units.
STATEMENT, HEADER, WITH, MATCH, LAMBDA, ELEMENT = range(6)
# Flags of units.
REENTERED, NO_CODE = 1, 2
