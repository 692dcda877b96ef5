#!/usr/bin/python3
"""A Kafka cluster in memory that can be told to misbehave, for the tests: one process, one thread, nothing on disk.

It prints its addresses as one line, takes commands from standard input (commands.py) and ends with that.
"""
import argparse
import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.build/kio"))
try:
    from answers import Answers
    from cluster import Cluster
    from commands import Commands
except ModuleNotFoundError as error:
    sys.exit(f"broker.py: {error}: packaging/test installs it")

LONGEST_LINE = 1 << 26


async def main(options):
    cluster = Cluster(options.brokers, dict(user.split(":", 1) for user in options.user))
    cluster.handle = Answers(cluster)
    for broker in cluster.brokers.values():
        await broker.start()
    if options.topic:
        cluster.create(options.topic, options.partitions)
    ticking = asyncio.create_task(cluster.tick())
    print(",".join(f"127.0.0.1:{broker.port}" for broker in cluster.brokers.values()), flush=True)

    lines = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    commands = Commands(cluster)
    while line := await lines.readline():
        print(await commands.answer(line), flush=True)
    ticking.cancel()


parser = argparse.ArgumentParser(description="A Kafka cluster in memory that can be told to misbehave.")
parser.add_argument("--brokers", type=int, default=1, help="how many")
parser.add_argument("--topic", help="a topic to create")
parser.add_argument("--partitions", type=int, default=4, help="how many that topic has")
parser.add_argument(
    "--user", action="append", default=[], metavar="NAME:PASSWORD", help="who may log in; without it nobody has to")
asyncio.run(main(parser.parse_args()))
