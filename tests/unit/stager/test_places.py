"""Places: as many at once as configured, the rest in line, some handed over."""

from __future__ import annotations

import asyncio

import pytest

from vr.stager.places import Full, Places


async def nobody() -> bool:
    return False


async def somebody() -> bool:
    return True


def test_those_in_line_come_in_order() -> None:
    async def check() -> list[int]:
        places, order = Places(1, 10), []
        assert await places.take(nobody, 1)

        async def wait(number: int) -> None:
            assert await places.take(nobody, 1)
            order.append(number)
            places.release()

        tasks = [asyncio.create_task(wait(number)) for number in range(3)]
        await asyncio.sleep(0)
        while places.waiting < 3:
            await asyncio.sleep(0)
        assert not places.free()
        places.release()
        await asyncio.gather(*tasks)
        assert places.free() and places.taken == 0
        return order

    assert asyncio.run(check()) == [0, 1, 2]


def test_a_full_one_hands_over_at_once() -> None:
    async def check() -> bool:
        places = Places(1, 0)
        assert await places.take(nobody, 1)
        return await places.take(somebody, 1)

    assert asyncio.run(check()) is False


def test_one_that_waits_is_handed_over_later() -> None:
    async def check() -> tuple[bool, int]:
        places, answers = Places(1, 5), iter([False, False, True])
        assert await places.take(nobody, 1)

        async def offer() -> bool:
            return next(answers)

        return await places.take(offer, 0.01), places.waiting

    assert asyncio.run(check()) == (False, 0)


def test_a_place_that_comes_while_handing_over_is_given_back() -> None:
    async def check() -> int:
        places, answers = Places(1, 5), iter([False, True])
        assert await places.take(nobody, 1)

        async def offer() -> bool:
            answer = next(answers)
            if answer:
                places.release()
            return answer

        assert await places.take(offer, 0.01) is False
        return places.taken

    assert asyncio.run(check()) == 0


def test_too_many_are_refused() -> None:
    async def check() -> None:
        places = Places(1, 0)
        assert await places.take(nobody, 1)
        await places.take(nobody, 1)

    with pytest.raises(Full):
        asyncio.run(check())
