"""Writes schemas.jsonl: schemas made from the specification's grammar with legal oddities, each with a datum as fastavro writes it and the
document that docs/document-rules.md makes of what fastavro reads back. Needs fastavro; run it in this folder."""

import base64, datetime, decimal, io, json, random, uuid

import fastavro

random.seed(7)
names = 0


def some(*choices):
    return random.choice(choices)


def name():
    global names
    names += 1
    return f"N{names}"


def oddities(schema):
    """What reading does not need."""
    if random.random() < 0.3:
        schema["doc"] = "\u00e9\n\"doc\""
    if random.random() < 0.2:
        schema["aliases"] = some(["Old"], ["a.b.Old", "Older"], [])
    if random.random() < 0.2:
        schema["some-property"] = some(7, None, {"a": [1]}, "x")
    if random.random() < 0.2 and schema["type"] in ("record", "array", "map", "enum", "string", "double"):
        schema["logicalType"] = some("unheard-of", "date", "timestamp-millis")
    return schema


def named(schema):
    schema["name"] = name()
    if random.random() < 0.3:
        schema["namespace"] = some("a", "a.b", "c_1.d")
    elif random.random() < 0.2:
        schema["name"] = f"x.y.{schema['name']}"
    return oddities(schema)


def scalar():
    kind = random.randrange(20)
    plain = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
    if kind < 8:
        return some(plain[kind], {"type": plain[kind]}, {"type": plain[kind], "logicalType": "unheard-of"})
    logical = [("int", "date"), ("int", "time-millis"), ("long", "time-micros"), ("long", "timestamp-millis"),
               ("long", "timestamp-micros"), ("long", "local-timestamp-millis"), ("long", "local-timestamp-micros"), ("string", "uuid")]
    if kind < 16:
        base, logical_type = logical[kind - 8]
        return {"type": base, "logicalType": logical_type}
    if kind == 16:
        return {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": random.randrange(6)}
    if kind == 17:
        return named({"type": "fixed", "size": random.randrange(1, 9)})
    if kind == 18:
        return named({"type": "fixed", "size": 8, "logicalType": "decimal", "precision": 18, "scale": random.randrange(4)})
    return named({"type": "enum", "symbols": ["A", "B_2", "_c"]})


def schema(depth, known):
    kind = random.randrange(12)
    if depth == 0 or kind < 5:
        return scalar()
    if kind < 8:
        return record(depth - 1, known)
    if kind == 8:
        return oddities({"type": "array", "items": schema(depth - 1, known)})
    if kind == 9:
        return oddities({"type": "map", "values": schema(depth - 1, known)})
    if kind == 10 and known:
        return random.choice(known)
    return union(depth - 1, known)


def union(depth, known):
    branches, kinds = ["null"], {"null"}
    for _ in range(random.randrange(1, 4)):
        branch = schema(depth, known)
        if isinstance(branch, list):
            continue
        kind = branch if isinstance(branch, str) else branch.get("type")
        if kind in kinds or (not isinstance(branch, str) and "name" in branch and random.random() < 0.3):
            continue
        kinds.add(kind)
        branches.append(branch)
    random.shuffle(branches)
    return branches


def record(depth, known):
    made = named({"type": some("record", "record", "record", "error"), "fields": []})
    for number in range(random.randrange(0, 6)):
        field = {"name": some("f", "F_", "_f") + str(number), "type": schema(depth, known)}
        if random.random() < 0.2:
            field["order"] = some("ignore", "descending")
        if random.random() < 0.2:
            field["aliases"] = ["was"]
        made["fields"].append(field)
    return made


def value(schema):
    if isinstance(schema, list):
        return value(random.choice(schema))
    kind = schema if isinstance(schema, str) else schema["type"]
    logical = None if isinstance(schema, str) else schema.get("logicalType")
    if isinstance(kind, (dict, list)):
        return value(kind)
    now = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000) + datetime.timedelta(seconds=random.randrange(-10**9, 10**9))
    if logical == "decimal" and kind in ("bytes", "fixed"):
        return decimal.Decimal(random.randrange(-10**9, 10**9)).scaleb(-schema.get("scale", 0))
    if logical == "date" and kind == "int":
        return now.date()
    if logical in ("time-millis", "time-micros"):
        return now.time()
    if logical and logical.startswith("timestamp") and kind == "long":
        return now.replace(tzinfo=datetime.timezone.utc)
    if logical and logical.startswith("local-timestamp"):
        return now
    if logical == "uuid" and kind == "string":
        return uuid.UUID(int=random.getrandbits(128))
    simple = {"null": None, "boolean": random.random() < 0.5, "int": random.randrange(-2**31, 2**31), "long": random.randrange(-2**63, 2**63),
              "float": random.randrange(-999, 999) / 8, "double": random.randrange(-10**9, 10**9) / 64, "bytes": random.randbytes(5),
              "string": some("", "text", "\u00e9\"\\\n", "\u65e5\u672c")}
    if kind in simple:
        return simple[kind]
    if kind == "fixed":
        return random.randbytes(schema["size"])
    if kind == "enum":
        return random.choice(schema["symbols"])
    if kind == "array":
        return [value(schema["items"]) for _ in range(random.randrange(4))]
    if kind == "map":
        return {f"k{number}": value(schema["values"]) for number in range(random.randrange(4))}
    return {field["name"]: value(field["type"]) for field in schema["fields"]}


def document(value, digits=None):
    """By docs/document-rules.md; times get their digits from the schema."""
    if isinstance(value, dict):
        return {key: document(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [document(inner) for inner in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return {"decimal": format(value, "f")}
    if isinstance(value, datetime.datetime):
        return {"moment": value.isoformat(timespec="microseconds").replace("+00:00", "Z")}
    if isinstance(value, datetime.time):
        return {"moment": value.isoformat(timespec="microseconds")}
    if isinstance(value, (datetime.date, uuid.UUID)):
        return str(value)
    return value


count = 0
with open("schemas.jsonl", "w") as out:
    while count < 200:
        made = record(3, []) if random.random() < 0.8 else schema(3, [])
        try:
            parsed = fastavro.parse_schema(json.loads(json.dumps(made)), _write_hint=False)
            buffer = io.BytesIO()
            fastavro.schemaless_writer(buffer, parsed, value(made))
            buffer.seek(0)
            read = fastavro.schemaless_reader(buffer, parsed)
        except Exception:
            continue
        line = {"schema": json.dumps(made), "datum": buffer.getvalue().hex(), "document": document(read)}
        out.write(json.dumps(line) + "\n")
        count += 1
