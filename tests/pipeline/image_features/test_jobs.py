import pytest

from pipeline.image_features.jobs import Job, job_chunks


@pytest.mark.parametrize(("count", "workers"), [(0, 2), (1, 1), (100, 2), (1000, 2), (20_000, 3)])
def test_chunks_are_whole_batches_and_hold_every_job_once(count, workers):
    jobs = [Job(f"{number}.png", "", [0]) for number in range(count)]
    chunks = job_chunks(jobs, workers)
    assert [job for chunk in chunks for job in chunk] == jobs
    assert all(len(chunk) % 8 == 0 for chunk in chunks[:-1])
    # However the processes race, the last one is alone for a tenth of its work at most.
    if count >= 1000:
        assert max(map(len, chunks)) <= count / workers / 10
