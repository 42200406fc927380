"""Runs the scripts of `sigtrail sql` in an engine. A program of its own, since the engines have an environment of their own.

Its argument is the engine. For each line {NAME: SCRIPT, …} on stdin there is a line {NAME: {"rows": […]} or {"error": "…"}, …}
on stdout.
"""

import json
import sys


def statements(script):
    """A semicolon at the end of a line ends a statement and stands nowhere else."""
    return [part for part in (script + "\n").split(";\n") if part.strip()]


def duckdb_session():
    import duckdb

    connection = duckdb.connect()
    return lambda statement: [list(row) for row in connection.execute(statement).fetchall()]


def spark_session():
    from pyspark.sql import SparkSession

    # Many small questions: to compile each takes longer than to answer it.
    settings = {
        "spark.log.level": "OFF",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    return lambda statement: [list(row) for row in session.sql(statement).collect()]


def athena_session():
    """Nobody but AWS runs Athena. Its grammar is at hand."""
    import sqlglot

    return lambda statement: [[type(sqlglot.parse_one(statement, read="athena")).__name__]]


def answer(run, script):
    try:
        return {"rows": [run(statement) for statement in statements(script)][-1]}
    except Exception as error:
        return {"error": str(error)[:1000]}


def main():
    run = {"duckdb": duckdb_session, "spark": spark_session, "athena": athena_session}[sys.argv[1]]()
    for line in sys.stdin:
        print(json.dumps({name: answer(run, script) for name, script in json.loads(line).items()}), flush=True)


if __name__ == "__main__":
    main()
