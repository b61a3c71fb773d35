"""Contenders against each other on a machine that is never quiet: in turns, medians of the turns."""
import statistics

ROUNDS = 5


def in_turns(contenders, rounds=ROUNDS):
    """{name: measure() → a number a second}: each once a round; {name: its median}."""
    found = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            found[name].append(measure())
    return {name: statistics.median(numbers) for name, numbers in found.items()}
