from funathon.corpus.tables.opening import tell


def test_what_is_told_is_one_line_without_secrets_or_control_characters(capsys):
    tell("https://me:word@host/labels.csv?Signature=abc: 3\nrows \x1b[31mleft out")
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "\x1b" not in said
    assert "word" not in said and "abc" not in said and "labels.csv" in said
