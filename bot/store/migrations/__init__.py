"""The way from an empty database to the present tables, one step per release that changed them.

A step that was released is never edited. To change a table: edit `_tables.py`, add the next numbered module to
`versions/`, set `_schema.HEAD` to it. A test compares the result with the tables and names what is missing.
"""
