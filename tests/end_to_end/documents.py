"""Are documents what the schemas of the program say, with every key described and no other?"""
import copy
import json

import jsonschema

import harness


def closed(schema):
    """The schema for a test: a reader takes keys that it does not know, a test takes none that is not described."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    tight = {key: closed(value) for key, value in schema.items()}
    if tight.get("additionalProperties") is True:
        tight["additionalProperties"] = False
    return tight


def places(value, path=()):
    """(path, value) of everything in a document; of a list the first."""
    yield path, value
    steps = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for step, part in steps:
        yield from places(part, (*path, step))


def spoilt(document, path):
    """A copy in which something of another type stands in that place."""
    copied = copy.deepcopy(document)
    holder = copied
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = [7] if isinstance(holder[path[-1]], dict) else {"no such": ["thing"]}
    return copied


def may_be_anything(schema, path):
    """Whether what stands in that place is nobody's but that of whoever wrote it."""
    schemas = [schema]
    for step in path:
        below = []
        for one in (choice for schema in schemas for choice in schema.get("anyOf", [schema])):
            if not set(one) - {"description"}:
                return True
            if isinstance(step, int):
                below.append(one.get("items"))
            else:
                below.append(one.get("properties", {}).get(step, one.get("additionalProperties")))
        schemas = [one for one in below if isinstance(one, dict)]
    return any(not set(one) - {"description"} for one in schemas)


class Schemas:
    """Those of the program, and which of them were needed."""

    def __init__(self):
        self.validators, self.seen = {}, set()

    @staticmethod
    def names():
        """All that are on offer: the first column of the list."""
        return [line.split()[0] for line in harness.stemma("schema").stdout.splitlines()[1:]]

    def validator(self, name):
        """(for readers, for tests)"""
        if name not in self.validators:
            schema = json.loads(harness.stemma("schema", name).stdout)
            jsonschema.Draft7Validator.check_schema(schema)
            self.validators[name] = (jsonschema.Draft7Validator(schema), jsonschema.Draft7Validator(closed(schema)))
        return self.validators[name]

    def complaints(self, name, document):
        return [f"{name}: /{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
                for error in self.validator(name)[1].iter_errors(document)]

    def check(self, test, document, name=None):
        """Every key is described, by the schema that the document itself names."""
        name = name or document["schema"].removeprefix("stemma.").removesuffix("/1")
        test.assertEqual(self.complaints(name, document), [])
        self.seen.add(name)
        return document

    def check_itself(self, test, document):
        """A schema that lets everything through is none: what is spoilt in a document is seen, wherever it is."""
        name = document["schema"].removeprefix("stemma.").removesuffix("/1")
        tight = self.validator(name)[1]
        for path, _ in list(places(document))[1:]:
            with test.subTest(document=name, path=path):
                test.assertEqual(tight.is_valid(spoilt(document, path)), may_be_anything(tight.schema, path))
