# python with_keras.py FOLDER MINUTES SEED
import sys
import time
from pathlib import Path

import keras
import pandas as pd
from keras import layers

folder, minutes, seed = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
started = time.monotonic()
keras.utils.set_random_seed(seed)
train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
names = sorted(train["label"].unique())
x = train.drop(columns="label").to_numpy("float32").reshape(-1, 28, 28, 1) / 255
y = keras.utils.to_categorical(train["label"].map(names.index), len(names))
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, kernel_size=3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, kernel_size=3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(len(names), activation="softmax"),
    ]
)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = time.monotonic() - started > minutes * 60 * 0.9


model.fit(x, y, batch_size=128, epochs=1000, callbacks=[Clock()], verbose=0)
numbers = model.predict(test.to_numpy("float32").reshape(-1, 28, 28, 1) / 255, verbose=0).argmax(1)
(folder / "answers.csv").write_text("\n".join(str(names[number]) for number in numbers) + "\n")
(folder / "model").mkdir()
model.save(folder / "model" / "model.keras")
