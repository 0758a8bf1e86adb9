# python with_autogluon.py FOLDER MINUTES SEED
import sys
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor

folder, minutes = Path(sys.argv[1]), float(sys.argv[2])
train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
predictor = TabularPredictor("label", path=folder / "model").fit(train, time_limit=minutes * 60 * 0.85)
(folder / "answers.csv").write_text("\n".join(map(str, predictor.predict(test))) + "\n")
