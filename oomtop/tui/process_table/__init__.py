"""The process table: columns, rows, order, filter, painting."""
