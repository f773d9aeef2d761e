"""What somebody expects of two arms, held against stored runs or a table: kept, broken or open."""
