"""What stands in a row of the store: a record's form, its counts, its curves, its digest."""
