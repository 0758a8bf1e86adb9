# sh with_fastdigits.sh FOLDER MINUTES SEED
set -e
fastdigits convert "$1/train.csv" "$1/digits" --valid 0
training=$(python -c "print(0.85 * $2)")
fastdigits train digitnet "$1/digits" --minutes "$training" --seed "$3" --out "$1/run"
fastdigits predict "$1/run" "$1/test.csv" --out "$1/predictions.csv"
fastdigits export "$1/run" "$1/model"
python -c "import pandas as pd; pd.read_csv('$1/predictions.csv')['label'].to_csv('$1/answers.csv', index=False, header=False)"
