# python with_boosting.py FOLDER MINUTES SEED
import sys
import time
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

folder, minutes, seed = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
started = time.monotonic()
train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
x, y = train.drop(columns="label"), train["label"]
model = HistGradientBoostingClassifier(max_iter=5, warm_start=True, early_stopping=False, random_state=seed)
model.fit(x, y)
while time.monotonic() - started < minutes * 60 * 0.85:
    model.set_params(max_iter=model.max_iter + 5).fit(x, y)
(folder / "answers.csv").write_text("\n".join(map(str, model.predict(test))) + "\n")
(folder / "model").mkdir()
joblib.dump(model, folder / "model" / "model.joblib")
