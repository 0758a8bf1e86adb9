"""A bar of progress names things as they are."""

from fastdigits.system.progress import progress_bar


def test_names_of_files_are_no_marks(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as far as rich can tell
    with progress_bar("scan{1}[old].csv", 3) as advance:
        advance(1, "[best]")
    shown = capsys.readouterr().err
    assert "scan{1}[old].csv" in shown
    assert "[best]" in shown
