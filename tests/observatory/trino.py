"""A stand-in for Trino's server: it speaks Trino's client protocol on a loopback port and computes in DuckDB.

It refuses what Trino is known to refuse and DuckDB would take (the length of a statement, functions, names, implicit casts, small
integers in a lake's tables), and anything that our statements do not use. Facts: trino.io/docs/current, client
protocol, language, functions, Iceberg connector; error codes of io.trino.spi.StandardErrorCode.
"""

import json
import math
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.tokenizer_core import TokenType

LONGEST, PAGE = 1_000_000, 500
CATALOG, SCHEMA = "lake", "vsm"
CODES = {
    "SYNTAX_ERROR": 1, "FUNCTION_NOT_FOUND": 6, "NOT_SUPPORTED": 13, "QUERY_TEXT_TOO_LARGE": 35, "CATALOG_NOT_FOUND": 44, "SCHEMA_NOT_FOUND": 45,
    "TABLE_NOT_FOUND": 46, "COLUMN_NOT_FOUND": 47, "TABLE_ALREADY_EXISTS": 50, "TYPE_MISMATCH": 58, "GENERIC_INTERNAL_ERROR": 65536,
}  # fmt: skip
# Functions of Trino that our statements use; another is added when a statement needs it and Trino's documentation has it.
FUNCTIONS = {
    "abs", "cast", "coalesce", "concat", "count", "exp", "greatest", "if", "infinity", "least", "length", "ln", "max", "nullif", "row_number",
    "sqrt", "sum",
}  # fmt: skip
BEFORE_BRACKETS = {
    "all", "and", "as", "by", "decimal", "exists", "filter", "from", "in", "join", "not", "on", "or", "over", "select", "then", "values", "when", "where",
}  # fmt: skip
ELSEWHERE = {"::", "==", ";", "=>", "//", "**", "->"}
# What a question may consist of; anything else is refused, were Trino to take it or not.
PARTS = (
    exp.Query, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.With, exp.CTE, exp.Table, exp.TableAlias, exp.Values,
    exp.Tuple, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Connector, exp.Not, exp.Predicate,
    exp.Binary, exp.Neg, exp.Is, exp.In, exp.Between, exp.Case, exp.If, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Window, exp.WindowSpec,
    exp.Filter, exp.Func, exp.Limit, exp.Exists, exp.Var, exp.Distinct,
)  # fmt: skip
UNKNOWN_HERE = (exp.ILike, exp.Qualify, exp.Command, exp.IntDiv)
NUMBERS, TEXTS = exp.DataType.NUMERIC_TYPES, exp.DataType.TEXT_TYPES
CELLS = {
    "varchar": r"'[^']*(?:''[^']*)*'", "integer": r"-?\d+", "bigint": r"-?\d+", "boolean": "TRUE|FALSE", "date": r"DATE '\d{4}-\d\d-\d\d'",
    "double": r"-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|infinity\(\))|nan\(\)",
}  # fmt: skip
PLAIN_TYPES = ("smallint", "integer", "bigint", "double", "boolean", "varchar", "date")
INSERT = re.compile(r'INSERT INTO "?(\w+)"? VALUES ')
VIEW = """
CREATE VIEW memory.main.trino_columns AS
SELECT table_schema, table_name, column_name, ordinal_position, is_nullable, lower(data_type) AS data_type FROM information_schema.columns
"""


class Refused(Exception):
    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass
class Answer:
    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    done: str = ""  # "CREATE TABLE"; nothing for a question
    count: int | None = None


class Standin:
    """`said` are the statements that were sent, `refused` the names of errors that were answered."""

    def __init__(self) -> None:
        self.said, self.refused = list[str](), list[str]()
        self.inside = duckdb.connect(config={"threads": 1})
        self.inside.execute(f"ATTACH ':memory:' AS {CATALOG}; CREATE SCHEMA {CATALOG}.{SCHEMA}; {VIEW}")
        for name, value in (("nan", "nan"), ("infinity", "inf")):
            self.inside.execute(f"CREATE MACRO {CATALOG}.{SCHEMA}.{name}() AS '{value}'::DOUBLE")

    def answer(self, statement: str, catalog: str, schema: str) -> Answer:
        """Raises Refused."""
        if len(statement) > LONGEST:
            raise Refused("QUERY_TEXT_TOO_LARGE", f"Query text length ({len(statement)}) exceeds the maximum length ({LONGEST})")
        if catalog != CATALOG:
            raise Refused("CATALOG_NOT_FOUND", f"Catalog '{catalog}' not found")
        if schema != SCHEMA:
            raise Refused("SCHEMA_NOT_FOUND", f"Schema '{schema}' does not exist")
        if statement == "SHOW TABLES":
            return Answer([("Table", "varchar")], [(name,) for name in sorted(self.tables())])
        if begun := INSERT.match(statement):
            return self.inserted(begun.group(1), statement, begun.end())
        return self.told(parsed(statement))

    def tables(self) -> dict[str, dict[str, str]]:
        """Name → column → type."""
        found: dict[str, dict[str, str]] = {}
        asked = f"SELECT table_name, column_name, data_type FROM memory.main.trino_columns WHERE table_schema = '{SCHEMA}' ORDER BY ordinal_position"
        for table, column, kind in self.asked(asked).fetchall():
            found.setdefault(table, {})[column] = kind
        return found

    def asked(self, statement: str) -> duckdb.DuckDBPyConnection:
        cursor = self.inside.cursor()
        cursor.execute(f"USE {CATALOG}.{SCHEMA}")
        return cursor.execute(statement)

    def inserted(self, table: str, statement: str, start: int) -> Answer:
        """Rows of literals, each of the type of its column: DuckDB would make a number of '7', Trino does not."""
        columns = self.tables().get(table)
        if columns is None:
            raise Refused("TABLE_NOT_FOUND", f"Table '{CATALOG}.{SCHEMA}.{table}' does not exist")
        row = r"\(" + ", ".join(f"(?:NULL|{CELLS[kind]})" for kind in columns.values()) + r"\)"
        if not re.compile(f"{row}(?:, {row})*").fullmatch(statement, start):
            raise Refused("TYPE_MISMATCH", f"Insert query has mismatched column types: Table: [{', '.join(columns.values())}]")
        count = self.asked(statement).fetchall()[0][0]
        return Answer([("rows", "bigint")], [(count,)], "INSERT", count)

    def told(self, tree: exp.Expr) -> Answer:
        names = self.tables()
        match tree:
            case exp.Create(kind="TABLE", this=exp.Schema() as table):
                name = table.this.name
                if name in names:
                    raise Refused("TABLE_ALREADY_EXISTS", f"Table '{name}' already exists")
                for kind in table.find_all(exp.DataType):
                    if kind.this in (exp.DataType.Type.SMALLINT, exp.DataType.Type.TINYINT):
                        raise Refused("NOT_SUPPORTED", f"Type not supported for Iceberg: {kind.sql('trino').lower()}")
                done = "CREATE TABLE"
            case exp.Alter(kind="TABLE", actions=[exp.AlterRename(this=target)]):
                known(names, tree.this.name)
                if target.name in names:
                    raise Refused("TABLE_ALREADY_EXISTS", f"Table '{target.name}' already exists")
                done = "RENAME TABLE"
            case exp.Drop(kind="TABLE"):
                if not tree.args.get("exists"):
                    known(names, tree.this.name)
                done = "DROP TABLE"
            case exp.Query():
                return self.chosen(tree, names)
            case _:
                raise Refused("NOT_SUPPORTED", f"{tree.key} is not among our statements")
        self.asked(tree.sql("duckdb"))
        return Answer(done=done)

    def chosen(self, tree: exp.Query, names: dict[str, dict[str, str]]) -> Answer:
        for column in list(tree.find_all(exp.Column)):
            if column.sql() == "current_schema":
                column.replace(exp.Literal.string(SCHEMA))
        for table in tree.find_all(exp.Table):
            if not table.db and table.name not in {cte.alias for cte in tree.find_all(exp.CTE)}:
                known(names, table.name)
        about = dict.fromkeys(("table_schema", "table_name", "column_name", "is_nullable", "data_type"), "varchar") | {"ordinal_position": "bigint"}
        schema: dict[str, object] = {CATALOG: {SCHEMA: names, "information_schema": {"columns": about}}}
        try:
            tree = qualify(tree, catalog=CATALOG, db=SCHEMA, schema=schema, dialect="trino", expand_alias_refs=False)
        except SqlglotError as cause:  # an alias of SELECT is no name in WHERE or GROUP BY
            raise Refused("COLUMN_NOT_FOUND", str(cause)) from cause
        tree = annotate_types(tree, schema=schema, dialect="trino")
        for node in tree.walk():
            check_types(node)
        for table in tree.find_all(exp.Table):
            if table.db == "information_schema":
                table.replace(exp.to_table("memory.main.trino_columns", alias=table.alias))
        cursor = self.asked(tree.sql("duckdb"))
        columns = [(each[0], type_name(str(each[1]))) for each in cursor.description or ()]
        return Answer(columns, [tuple(map(encoded, row)) for row in cursor.fetchall()])


def known(names: dict[str, dict[str, str]], name: str) -> None:
    if name not in names:
        raise Refused("TABLE_NOT_FOUND", f"Table '{CATALOG}.{SCHEMA}.{name}' does not exist")


def parsed(statement: str) -> exp.Expr:
    tokens = sqlglot.tokenize(statement, read="trino")
    for token in tokens:
        if token.text in ELSEWHERE and token.token_type != TokenType.STRING:
            raise Refused("SYNTAX_ERROR", f"mismatched input '{token.text}'")
    try:
        [tree] = sqlglot.parse(statement, read="trino")
    except (ParseError, ValueError) as cause:
        raise Refused("SYNTAX_ERROR", str(cause)) from cause
    if isinstance(tree, exp.Query):
        for token, after in pairwise(tokens):
            name = token.text.lower()
            named = token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER) and re.fullmatch(r"[a-z_]\w*", name)
            if named and after.token_type == TokenType.L_PAREN and name not in FUNCTIONS | BEFORE_BRACKETS:
                raise Refused("FUNCTION_NOT_FOUND", f"Function '{name}' not registered")
        for node in tree.walk():
            if not isinstance(node, PARTS) or isinstance(node, UNKNOWN_HERE) or (isinstance(node, exp.Distinct) and node.args.get("on")):
                raise Refused("SYNTAX_ERROR", f"mismatched input: {node.sql('trino')}")
    assert tree is not None
    return tree


def family(node: Any) -> str:
    kind = node.type.this if node is not None and node.type else exp.DataType.Type.UNKNOWN
    if kind in NUMBERS:
        return "number"
    if kind in TEXTS:
        return "text"
    return "" if kind in (exp.DataType.Type.NULL, exp.DataType.Type.UNKNOWN) else str(kind.value)


def both(node: Any) -> list[tuple[Any, ...]]:
    return [(node.left, node.right)]


def only(node: Any) -> list[tuple[Any, ...]]:
    return [(node.this,)]


# What Trino casts by itself is from a narrower number to a wider one and from NULL. Node → its error, what its parts must be
# ("": all alike), the parts that go together.
RULES: tuple[tuple[tuple[Any, ...], str, str, Callable[[Any], list[tuple[Any, ...]]]], ...] = (
    ((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), "TYPE_MISMATCH", "", both),
    ((exp.In,), "TYPE_MISMATCH", "", lambda node: [(node.this, *node.expressions)]),
    ((exp.Between,), "TYPE_MISMATCH", "", lambda node: [(node.this, node.args["low"], node.args["high"])]),
    ((exp.Coalesce, exp.Greatest, exp.Least), "TYPE_MISMATCH", "", lambda node: [(node.this, *node.expressions)]),
    ((exp.Nullif,), "TYPE_MISMATCH", "", lambda node: [(node.this, node.expression)]),
    ((exp.If,), "TYPE_MISMATCH", "", lambda node: [(node.args["true"], node.args.get("false"))]),
    ((exp.Case,), "TYPE_MISMATCH", "", lambda node: [(*(each.args["true"] for each in node.args["ifs"]), node.args.get("default"))]),
    ((exp.SetOperation,), "TYPE_MISMATCH", "", lambda node: list(zip(node.left.selects, node.right.selects, strict=True))),
    ((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), "TYPE_MISMATCH", "number", both),
    ((exp.Neg,), "TYPE_MISMATCH", "number", only),
    ((exp.Connector,), "TYPE_MISMATCH", "BOOLEAN", both),
    ((exp.Not, exp.Where, exp.Having, exp.If), "TYPE_MISMATCH", "BOOLEAN", only),
    ((exp.Join,), "TYPE_MISMATCH", "BOOLEAN", lambda node: [(node.args.get("on"),)]),
    ((exp.Sum, exp.Ln, exp.Sqrt, exp.Exp, exp.Abs), "FUNCTION_NOT_FOUND", "number", only),
    ((exp.Length,), "FUNCTION_NOT_FOUND", "text", only),
    ((exp.DPipe,), "FUNCTION_NOT_FOUND", "text", both),
    ((exp.Concat,), "FUNCTION_NOT_FOUND", "text", lambda node: [tuple(node.expressions)]),
)


def check_types(node: Any) -> None:
    for kinds, error, what, parts_of in RULES:
        if isinstance(node, kinds):
            for parts in parts_of(node):
                if len({what, *map(family, parts)} - {""}) > 1:
                    raise Refused(error, f"{node.key} cannot be applied to {', '.join(map(family, parts))}: {node.sql('trino')[:200]}")


def type_name(kind: str) -> str:
    """Trino's name of a type of DuckDB's."""
    name = kind.lower()
    if name.startswith("timestamp"):
        return "timestamp(6) with time zone" if "zone" in name else "timestamp(6)"
    found = {"hugeint": "bigint", '"null"': "unknown"}.get(name, name)
    if found not in (*PLAIN_TYPES, "unknown") and not found.startswith("decimal"):
        raise Refused("NOT_SUPPORTED", f"{kind} is not a type of our answers")
    return found


def signature(kind: str) -> dict[str, Any]:
    sizes = [int(each) for each in re.findall(r"\d+", kind)] or ([2**31 - 1] if kind == "varchar" else [])
    return {"rawType": re.sub(r"\(.*?\)", "", kind), "arguments": [{"kind": "LONG", "value": each} for each in sizes]}


def encoded(cell: Any) -> Any:
    if isinstance(cell, float) and not math.isfinite(cell):
        return "NaN" if math.isnan(cell) else "Infinity" if cell > 0 else "-Infinity"
    if cell is None or isinstance(cell, bool | int | float | str):
        return cell
    return str(cell) if isinstance(cell, Decimal) else cell.isoformat(" ") if hasattr(cell, "hour") else cell.isoformat()


class Handler(BaseHTTPRequestHandler):
    """POST takes a statement in, the first GET runs it, further ones bring pages; what was fetched before the last is gone."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def do_POST(self) -> None:
        statement = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path != "/v1/statement":
            return self.sent(404, {})
        if not self.headers.get("X-Trino-User"):
            return self.sent(401, {})
        known_here = self.server.queries
        query = f"20261128_000000_{len(known_here):05}_vsmvs"
        known_here[query] = Query(statement, self.headers.get("X-Trino-Catalog", ""), self.headers.get("X-Trino-Schema", ""))
        return self.sent(200, self.results(query, 0, "QUEUED"))

    def do_GET(self) -> None:
        _, version, _, query, token = self.path.split("/")
        asked, page = self.server.queries.get(query), int(token)
        if version != "v1" or asked is None:
            return self.sent(404, {})
        if page not in (asked.page, asked.page + 1):
            return self.sent(410, {})
        asked.page = page
        return self.sent(200, self.page_of(query, asked, page))

    def do_DELETE(self) -> None:
        self.sent(204, None)

    def page_of(self, query: str, asked: "Query", page: int) -> dict[str, Any]:
        try:
            answer = asked.answer(self.server.standin)
        except Refused as cause:
            self.server.standin.refused.append(cause.name)
            kind = "USER_ERROR" if CODES[cause.name] < CODES["GENERIC_INTERNAL_ERROR"] else "INTERNAL_ERROR"
            error = {"message": str(cause), "errorCode": CODES[cause.name], "errorName": cause.name, "errorType": kind}
            return {**self.results(query, None, "FAILED"), "error": error}
        begin = (page - 1) * PAGE
        last = begin + PAGE >= len(answer.rows)
        told = self.results(query, None if last else page, "FINISHED" if last else "RUNNING")
        if answer.columns:
            told["columns"] = [{"name": name, "type": kind, "typeSignature": signature(kind)} for name, kind in answer.columns]
        if rows := answer.rows[begin : begin + PAGE]:
            told["data"] = rows
        if answer.done:
            told |= {"updateType": answer.done, "updateCount": answer.count}
        return told

    def results(self, query: str, page: int | None, state: str) -> dict[str, Any]:
        root = f"http://127.0.0.1:{self.server.server_port}"
        following = {} if page is None else {"nextUri": f"{root}/v1/statement/{query}/{page + 1}"}
        return {"id": query, "infoUri": f"{root}/ui/query.html?{query}", "stats": {"state": state}, "warnings": [], **following}

    def sent(self, status: int, told: dict[str, Any] | None) -> None:
        body = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told: Any) -> None:
        """Nobody reads it."""


class Query:
    def __init__(self, statement: str, catalog: str, schema: str) -> None:
        self.told = (statement, catalog, schema)
        self.page = 0
        self.found: Answer | Refused | None = None

    def answer(self, standin: Standin) -> Answer:
        """Runs once, however often a page is asked for."""
        if self.found is None:
            standin.said.append(self.told[0])
            try:
                self.found = standin.answer(*self.told)
            except Refused as cause:
                self.found = cause
            except Exception as cause:  # noqa: BLE001 -- a fault of the stand-in, or what DuckDB alone refuses, is answered too
                self.found = Refused("GENERIC_INTERNAL_ERROR", f"{type(cause).__name__}: {cause}")
        if isinstance(self.found, Refused):
            raise self.found
        return self.found


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, standin: Standin) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.standin, self.queries = standin, dict[str, Query]()


@contextmanager
def served() -> Iterator[tuple[Standin, str]]:
    """The stand-in and the address for VSM_OBSERVATORY_ENGINE."""
    standin = Standin()
    with Server(standin) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield standin, f"trino://ana@127.0.0.1:{server.server_port}/{CATALOG}/{SCHEMA}"
        server.shutdown()
        thread.join()
    standin.inside.close()
