"""Tables as offices have them: the one reader of `funathon code`, `evaluate`, `rag evaluate` and the labels, and the writer.

`opening` chooses the reader; `texts` (with `encodings`, `separators` and `records`), `sheets` and `columnar` read one each;
`columns` finds a column by its name; `writing` writes a result. Everywhere rows are counted apart from the parser, so that a
table that is misread is an error and never a shorter table.
"""
