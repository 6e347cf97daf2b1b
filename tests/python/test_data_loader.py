"""DataLoader: batches, order, the last batch, prefetching, and going on where one left off."""

import numpy as np
import pytest

import freedive as fd
from freedive.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    ImageDataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    default_collate,
    random_split,
)


class Squares(Dataset):
    """Pairs (i², i), fetched one at a time."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if index >= self.n:
            raise IndexError(index)
        return float(index * index), index


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(10))


def rows(n=10, width=3):
    return TensorDataset(fd.arange(n * width, dtype=fd.float32).reshape(n, width), fd.arange(n))


def ids(loader):
    """The labels of each batch, as lists."""
    return [batch[-1].tolist() for batch in loader]


def flat(lists):
    return [item for part in lists for item in part]


def test_batches_of_tensors_in_order():
    loader = DataLoader(rows(), batch_size=4)
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert [tuple(X.shape) for X, _ in batches] == [(4, 3), (4, 3), (2, 3)]
    assert isinstance(batches[0], list)
    assert ids(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert batches[1][0][0].tolist() == [12.0, 13.0, 14.0]


def test_numpy_arrays_are_accepted_and_lengths_checked():
    data = TensorDataset(np.zeros((5, 2), np.float32), np.arange(5))
    assert data[2][1] == 2
    assert data.tensors[0].dtype == fd.float32
    with pytest.raises(ValueError, match=r"\[5, 4\]"):
        TensorDataset(fd.zeros(5), fd.zeros(4))
    with pytest.raises(TypeError, match="argument 1"):
        TensorDataset(fd.zeros(5), "labels")
    with pytest.raises(ValueError):
        TensorDataset()


@pytest.mark.parametrize("dataset", [rows(23), Squares(23)], ids=["gathered", "one by one"])
def test_shuffle_visits_every_sample_once_and_is_seeded(dataset):
    loader = DataLoader(dataset, 5, shuffle=True, seed=7)
    first, second = ids(loader), ids(loader)
    assert sorted(flat(first)) == list(range(23))
    assert first != second
    again = DataLoader(dataset, 5, shuffle=True, seed=7)
    assert [ids(again), ids(again)] == [first, second]
    assert ids(DataLoader(dataset, 5, shuffle=True, seed=8)) != first


def test_gathered_and_single_samples_come_in_the_same_order():
    assert ids(DataLoader(rows(23), 5, shuffle=True, seed=1)) == ids(DataLoader(Squares(23), 5, shuffle=True, seed=1))


def test_manual_seed_and_generator_decide_the_order():
    loader = DataLoader(rows(), 3, shuffle=True)
    fd.manual_seed(5)
    first = ids(loader)
    fd.manual_seed(5)
    assert ids(loader) == first
    generators = []
    for _ in range(2):
        generator = fd.Generator()
        generator.manual_seed(11)
        generators.append(ids(DataLoader(rows(), 3, shuffle=True, generator=generator)))
    assert generators[0] == generators[1]


def test_last_batch_kept_dropped_or_filled():
    assert [len(b) for b in ids(DataLoader(rows(), 4))] == [4, 4, 2]
    assert [len(b) for b in ids(DataLoader(rows(), 4, last="drop"))] == [4, 4]
    assert [len(b) for b in ids(DataLoader(rows(), 4, drop_last=True))] == [4, 4]
    assert len(DataLoader(rows(), 4, drop_last=True)) == 2


@pytest.mark.parametrize("shuffle", [False, True])
def test_fill_takes_from_the_next_epoch(shuffle):
    loader = DataLoader(rows(), 4, shuffle=shuffle, last="fill", seed=3)
    epochs = []
    for _ in range(2):
        expected = len(loader)
        epochs.append(ids(loader))
        assert len(epochs[-1]) == expected
    assert [len(e) for e in epochs] == [3, 2]
    stream = flat(flat(epochs))
    assert len(stream) == 20
    assert sorted(stream[:10]) == sorted(stream[10:]) == list(range(10))


def test_fill_without_seed_uses_every_sample_equally():
    loader = DataLoader(rows(), 4, shuffle=True, last="fill")
    stream = flat(flat(ids(loader) for _ in range(4)))
    assert sorted(stream) == sorted(list(range(10)) * 4)


@pytest.mark.parametrize("last", ["keep", "drop", "fill"])
@pytest.mark.parametrize("seed", [None, 9])
@pytest.mark.parametrize("dataset", [rows(11), Squares(11)], ids=["gathered", "one by one"])
def test_state_resumes_with_the_very_next_batch(last, seed, dataset):
    def loader():
        return DataLoader(dataset, 4, shuffle=True, seed=seed, last=last)

    for stop in range(6):
        fd.manual_seed(2)
        whole = loader()
        expected, state, random, count = [], None, None, 0
        for _ in range(3):
            for batch in whole:
                if state is not None:
                    expected.append(batch[-1].tolist())
                elif count == stop:
                    state, random = whole.state_dict(), fd.get_rng_state()
                count += 1
        resumed = loader()
        resumed.load_state_dict(state)
        fd.set_rng_state(random)
        got = [b for _ in range(3) for b in ids(resumed)][: len(expected)]
        assert got == expected, stop


def test_state_after_an_epoch_starts_the_next():
    whole = DataLoader(rows(), 4, shuffle=True, seed=4)
    ids(whole)
    state = whole.state_dict()
    resumed = DataLoader(rows(), 4, shuffle=True, seed=4)
    resumed.load_state_dict(state)
    assert ids(resumed) == ids(whole)
    state["finished"] = False
    resumed.load_state_dict(state)
    assert ids(resumed) == []
    assert len(ids(resumed)) == 3


def test_state_of_another_loader_is_refused():
    state = DataLoader(rows(), 4).state_dict()
    with pytest.raises(ValueError, match="batch_size 4 then, 5 now"):
        DataLoader(rows(), 5).load_state_dict(state)


def test_generator_state_travels_with_the_loader():
    def loader(seed):
        generator = fd.Generator()
        generator.manual_seed(seed)
        return DataLoader(rows(), 4, shuffle=True, generator=generator)

    first, second = loader(1), loader(2)
    ids(first)
    second.load_state_dict(first.state_dict())
    assert ids(second) == ids(first)


def test_workers_change_nothing_but_the_thread():
    expected = ids(DataLoader(Squares(23), 5, shuffle=True, seed=1))
    assert ids(DataLoader(Squares(23), 5, shuffle=True, seed=1, num_workers=4)) == expected


def test_worker_errors_reach_the_consumer_and_leaving_early_stops_the_thread():
    import threading

    class Broken(Squares):
        def __getitem__(self, index):
            if index == 7:
                raise KeyError("sample seven")
            return index

    loader = DataLoader(Broken(20), 5, num_workers=1)
    batches = iter(loader)
    assert next(batches).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError, match="sample seven"):
        next(batches)
    started = iter(DataLoader(Squares(1000), 1, num_workers=1))
    next(started)
    started.close()
    assert not [t for t in threading.enumerate() if t.name == "freedive-prefetch"]


def test_samplers():
    assert ids(DataLoader(rows(4), 2, sampler=[3, 1, 0])) == [[3, 1], [0]]
    assert ids(DataLoader(rows(4), batch_sampler=[[3, 1, 0], [2]])) == [[3, 1, 0], [2]]
    batches = BatchSampler(SequentialSampler(range(5)), 2)
    assert list(batches) == [[0, 1], [2, 3], [4]]
    assert len(batches) == 3
    assert list(BatchSampler(SequentialSampler(range(5)), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert sorted(RandomSampler(range(6))) == list(range(6))
    drawn = list(RandomSampler(range(3), replacement=True, num_samples=20))
    assert len(drawn) == 20
    assert set(drawn) <= {0, 1, 2}
    assert sorted(SubsetRandomSampler([4, 9])) == [4, 9]


def test_a_tensor_is_a_dataset_of_its_rows():
    rows = fd.arange(10).reshape(5, 2)
    assert [batch.tolist() for batch in DataLoader(rows, 2)] == [
        rows[:2].tolist(),
        rows[2:4].tolist(),
        rows[4:].tolist(),
    ]
    (shuffled,) = DataLoader(rows, 5, shuffle=True, seed=0)
    assert sorted(shuffled.tolist()) == rows.tolist()


def test_collate_kinds():
    batch = default_collate([{"a": 1, "b": (2.0, "x")}, {"a": 3, "b": (4.0, "y")}])
    assert batch["a"].dtype == fd.int64
    assert batch["b"][0].dtype == fd.float64
    assert batch["b"][1] == ["x", "y"]
    assert tuple(default_collate([np.zeros((2, 3)), np.ones((2, 3))]).shape) == (2, 2, 3)
    with pytest.raises(TypeError, match="object"):
        default_collate([object()])
    with pytest.raises(ValueError, match="different lengths"):
        default_collate([(1, 2), (1,)])


def test_own_collate_and_no_batching():
    assert list(DataLoader(Squares(3), 2, collate_fn=len)) == [2, 1]
    assert list(DataLoader(Squares(3), None)) == [[0.0, 0], [1.0, 1], [4.0, 2]]
    assert next(iter(DataLoader([5, 6, 7], 3))).tolist() == [5, 6, 7]


def test_iterable_dataset():
    assert [b.tolist() for b in DataLoader(Stream(), 4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    with pytest.raises(ValueError, match="order"):
        DataLoader(Stream(), 4, shuffle=True)


def test_a_subclass_with_its_own_getitem_is_not_bypassed():
    class Doubled(TensorDataset):
        def __getitem__(self, index):
            X, y = super().__getitem__(index)
            return X * 2, y

    X, _ = next(iter(DataLoader(Doubled(*rows().tensors), 2)))
    assert X[1].tolist() == [6.0, 8.0, 10.0]


def test_images_are_scaled_in_one_gather():
    images = fd.arange(2 * 4 * 4).reshape(2, 4, 4).to(fd.uint8)
    data = ImageDataset(images, fd.tensor([3, 4]), 1 / 16, shape=(1, 4, 4))
    X, y = next(iter(DataLoader(data, 2)))
    assert tuple(X.shape) == (2, 1, 4, 4)
    assert X.dtype == fd.float32
    assert X[1, 0, 3, 3] == 31 / 16
    assert y.tolist() == [3, 4]
    assert (data[1][0] == X[1]).all()
    with pytest.raises(TypeError, match="uint8"):
        ImageDataset(images.float(), fd.zeros(2))


def test_subset_concat_and_split():
    data = rows()
    part = Subset(data, [9, 0, 4])
    assert ids(DataLoader(part, 2)) == [[9, 0], [4]]
    assert ids(DataLoader(Subset(Squares(10), [9, 0, 4]), 3)) == [[9, 0, 4]]
    both = ConcatDataset([data, part])
    assert len(both) == 13
    assert both[10][1] == 9
    assert both[-1][1] == 4
    assert len(data + part) == 13
    with pytest.raises(IndexError):
        both[13]
    fd.manual_seed(0)
    parts = random_split(data, [0.7, 0.3])
    assert [len(p) for p in parts] == [7, 3]
    assert sorted(int(p[i][1]) for p in parts for i in range(len(p))) == list(range(10))
    assert [len(p) for p in random_split(data, [4, 6])] == [4, 6]
    with pytest.raises(ValueError, match="sum to 9"):
        random_split(data, [4, 5])


@pytest.mark.parametrize(
    ("kwargs", "error", "words"),
    [
        ({"batch_size": 0}, ValueError, "positive"),
        ({"batch_size": 2.5}, TypeError, "integer"),
        ({"num_workers": -1}, ValueError, "num_workers"),
        ({"last": "wrap"}, ValueError, "wrap"),
        ({"last": "fill", "drop_last": True}, ValueError, "contradicts"),
        ({"shuffle": True, "sampler": [0]}, ValueError, "not both"),
        ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "excludes"),
        ({"batch_size": 99, "last": "fill"}, ValueError, "99"),
    ],
)
def test_contradictions_are_named(kwargs, error, words):
    with pytest.raises(error, match=words):
        DataLoader(rows(), **kwargs)


def test_torch_names():
    from freedive.utils import data as utils_data

    assert utils_data.DataLoader is DataLoader
    assert utils_data.TensorDataset is TensorDataset
