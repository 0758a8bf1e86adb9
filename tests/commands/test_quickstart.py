"""The quickstart: all that it promises is made, and nothing of others is replaced."""

import pandas as pd
import pytest

from fastdigits import InputError, quickstart


@pytest.mark.slow
def test_quickstart(in_tmp, capsys):
    made = quickstart()
    assert made.accuracy > 0.95
    assert made.test_accuracy > 0.9
    for name in ("train.csv", "digits/manifest.json", "run/result.json", "model/model.safetensors", "submission.csv"):
        assert (in_tmp / "quickstart" / name).is_file()
    assert len(pd.read_csv("quickstart/submission.csv")) == 297
    assert "pictures       quickstart/digits/" in str(made)
    assert "$ fastdigits finetune digitnet-mnist quickstart/digits" in capsys.readouterr().out


def test_quickstart_does_not_replace_other_things(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "train.csv").touch()
    with pytest.raises(InputError, match=r"home holds other things \(no quickstart.json\), so it is not replaced"):
        quickstart(tmp_path / "home", overwrite=True)
    with pytest.raises(InputError, match="home exists already"):
        quickstart(tmp_path / "home")
