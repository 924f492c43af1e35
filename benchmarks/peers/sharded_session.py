"""Statements over the orders of many shards, through SQLAlchemy's ShardedSession.

The URLs of the shards are the arguments, and before them how often to run each
statement. Prints one line of JSON: for each statement the times in seconds, and
whether the answer needs the caller's own merging to be that of one database.
"""

import json
import sys
import time

from sqlalchemy import Column, BigInteger, Text, create_engine, func, select
from sqlalchemy.ext.horizontal_shard import ShardedSession
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Order(Base):
    __tablename__ = "orders"
    id = Column(BigInteger, primary_key=True)
    account_id = Column(BigInteger)
    number = Column(Text)
    status = Column(Text)
    cents = Column(BigInteger)


def page(session):
    rows = session.execute(select(Order).order_by(Order.cents, Order.id).limit(20)).scalars().all()
    session.expunge_all()  # else the next one finds its objects in the session
    return len(rows) == 20


def count(session):
    return len(session.execute(select(func.count()).select_from(Order)).all()) == 1


def groups(session):
    rows = session.execute(
        select(Order.status, func.count(), func.sum(Order.cents), func.avg(Order.cents)).group_by(Order.status)
    ).all()
    return len(rows) == len({row[0] for row in rows})


def scan(session):
    rows = session.execute(select(Order.id, Order.account_id, Order.status, Order.cents))
    return sum(1 for _ in rows) > 0


def main():
    runs, urls = int(sys.argv[1]), sys.argv[2:]
    engines = {str(i): create_engine(url) for i, url in enumerate(urls)}
    session = ShardedSession(
        shards=engines,
        shard_chooser=lambda mapper, instance, clause=None: "0",
        id_chooser=lambda query, ident: list(engines),
        execute_chooser=lambda context: list(engines),
    )
    found = {}
    for statement in (page, count, groups, scan):
        right = statement(session)  # connects, and fills caches
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            statement(session)
            times.append(time.perf_counter() - start)
        found[statement.__name__] = {"times": times, "right": right}
    print(json.dumps(found))


main()
