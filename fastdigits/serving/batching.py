"""One model for many clients: pictures that wait are answered together, a batch at a time."""

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ..answers import Inference
from .limits import Refusal

BATCH = 64  # pictures that are answered together; a batch more is a longer wait for those behind it


@dataclass
class Question:
    """Pictures uint8 (n, h, w) that wait, and the future of their shares (n, outputs)."""

    images: np.ndarray
    answer: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """Answers questions in turn, several with one pass through the network; never two passes at a time.

    Nothing waits for a batch to fill: what came while the last one was computed is the next one.

    Parameters
    ----------
    inference : Inference
    waiting : int
        Pictures that may wait; more are refused with 503.
    answer_s : float
        Seconds after which an answer is no longer waited for, and refused with 504.
    """

    def __init__(self, inference: Inference, waiting: int, answer_s: float):
        self.inference, self.most_waiting, self.answer_s = inference, waiting, answer_s
        self.questions: deque[Question] = deque()
        self.waiting = 0  # pictures
        self.has_question: asyncio.Event | None = None  # of the loop that runs

    async def shares(self, images: np.ndarray) -> np.ndarray:
        """What `Inference.shares` says, (n, outputs), of pictures uint8 (n, h, w); `run` answers."""
        if self.waiting + len(images) > self.most_waiting:
            raise Refusal(503, "too many pictures are waiting; send yours again in a moment")
        question = Question(images)
        self.questions.append(question)
        self.waiting += len(images)
        if self.has_question:
            self.has_question.set()
        try:
            async with asyncio.timeout(self.answer_s):
                return await question.answer
        except TimeoutError:
            raise Refusal(504, f"no answer within {self.answer_s:g} s; send it again later") from None

    async def run(self) -> None:
        """Answer until cancelled."""
        loop, self.has_question = asyncio.get_running_loop(), asyncio.Event()
        if self.questions:
            self.has_question.set()
        thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        try:
            while True:
                await self.has_question.wait()
                batch = self._next_batch()
                if not batch:
                    continue
                try:
                    answers = await loop.run_in_executor(thread, self._answers, [q.images for q in batch])
                except Exception as error:  # whose pictures they were shall know; the next batch goes on
                    answers = [error] * len(batch)
                for question, answer in zip(batch, answers):
                    if question.answer.done():  # nobody waits for it any more
                        continue
                    if isinstance(answer, Exception):
                        question.answer.set_exception(answer)
                    else:
                        question.answer.set_result(answer)
        finally:
            thread.shutdown(wait=False, cancel_futures=True)

    def _next_batch(self) -> list[Question]:
        """The questions that have waited longest, at least one, of not many more than BATCH pictures."""
        batch, pictures = [], 0
        while self.questions and pictures < BATCH:
            question = self.questions.popleft()
            self.waiting -= len(question.images)
            if not question.answer.done():
                batch.append(question)
                pictures += len(question.images)
        if not self.questions:
            self.has_question.clear()
        return batch

    def _answers(self, asked: list[np.ndarray]) -> list[np.ndarray]:
        """Probabilities of each question's pictures; those of one size go through the network together."""
        answers: list[np.ndarray] = [None] * len(asked)
        for shape in {images.shape[1:] for images in asked}:
            these = [k for k, images in enumerate(asked) if images.shape[1:] == shape]
            rows = self.inference.shares(np.concatenate([asked[k] for k in these]))
            ends = np.cumsum([len(asked[k]) for k in these])
            for k, part in zip(these, np.split(rows, ends[:-1])):
                answers[k] = part
        return answers
