"""What `scripts/schemathesis` adds to schemathesis: who asks, some names and numbers that are there, failures that are
none, and a count of the answers.

In a run it is loaded by schemathesis (SCHEMATHESIS_HOOKS). As a program, `hooks.py TALLY ...`, it prints the counts and
says whether every role has got through to every operation; with `--count` only how many answers one tally has.
"""

import atexit
import collections
import json
import os
import sys
import zlib

ROLES = {"user": "ann", "superuser": "root"}
PEOPLE = ["ann", "bob", "root"]
# What somebody without a session gets a 2xx from; everything else must refuse.
OPEN = {"POST /api/v1/session/", "DELETE /api/v1/session/"}


def opaque_cursor(kind, case, response):
    return kind == "RejectedPositiveData" and response.status_code == 400 and response.json() in (
        {"cursor": ["Enter a valid cursor."]}, {"after": ["Enter a valid cursor."]})


def one_place(kind, case, response):
    return kind == "RejectedPositiveData" and response.status_code == 400 and (
        response.json() == {"target": ["This field is required."]}
        or ["Give one of before_seq, after_seq and around_seq."] in response.json().values())


def ignored_limit(kind, case, response):
    others = {"/api/v1/message/": ["before_seq", "after_seq", "around_seq"], "/api/v1/user/": ["search", "cursor"]}
    query = case.query or {}
    return kind == "AcceptedNegativeData" and "limit" in query and not any(
        name in query for name in others.get(case.operation.path, query))


def number_or_text(kind, case, response):
    if kind != "AcceptedNegativeData" or not isinstance(case.body, dict):
        return False
    is_number = lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)
    texts = [case.body.get(name) for name in ("recipient", "body", "client_id", "username", "password")]
    seq = case.body.get("seq")
    return any(map(is_number, texts)) or isinstance(seq, str) and seq.strip().lstrip("+-").isdigit()


def unknown_method(kind, case, response):
    return kind == "UnsupportedMethodResponse" and response.request.method == "QUERY" and response.status_code == 400


# Failures that are none, each with its reason. How often each was met is printed.
EXPECTED = {
    "a cursor is opaque: the description gives it no form, and what was not given out is refused": opaque_cursor,
    "before_seq, after_seq or around_seq, one of them and with target: a description cannot say that": one_place,
    "limit of the numbered list, and of the whole list of people, is ignored, as recorded": ignored_limit,
    "numbers are taken where text is wanted and the other way round, as recorded and as forms send them": number_or_text,
    "a method that the HTTP library does not know is refused before there is a route: 400": unknown_method,
}


def one_of(known, given):
    """One of these in place of three of four given ones: always the same one, so that a failure can be repeated."""
    chance = zlib.crc32(repr(given).encode("utf-8", "backslashreplace"))
    return known[chance // 4 % len(known)] if chance % 4 else given


def load():
    import requests
    import schemathesis

    base, role, path, password = (os.environ[f"CHATD_API_{name}"] for name in ("BASE", "ROLE", "TALLY", "PASSWORD"))
    answers, excused = collections.Counter(), collections.Counter()

    if role in ROLES:

        # A session is made anew every ten seconds, in case that one was ended.
        @schemathesis.auth(refresh_interval=10)
        class Session:
            def get(self, case, context):
                answer = requests.post(f"{base}/api/v1/session/", timeout=60,
                                       json={"username": ROLES[role], "password": password})
                answer.raise_for_status()
                return answer.cookies["sessionid"]

            def set(self, case, data, context):
                # Signing out ends a session, and signing in ends the one before: these have one of their own.
                if case.operation.path == "/api/v1/session/" and case.operation.method.upper() != "GET":
                    data = self.get(case, context)
                case.headers["Cookie"] = f"sessionid={data}"

    @schemathesis.hook
    def map_path_parameters(context, path_parameters):
        if path_parameters:
            if isinstance(path_parameters.get("name"), str):
                path_parameters["name"] = one_of(PEOPLE, path_parameters["name"])
            given = path_parameters.get("id")
            if type(given) is int and -(2**63) <= given < 2**63:
                path_parameters["id"] = one_of([1, 2, 3], given)
        return path_parameters

    @schemathesis.hook
    def map_query(context, query):
        if query and isinstance(query.get("target"), str):
            query["target"] = one_of(PEOPLE, query["target"])
        return query

    @schemathesis.hook
    def map_body(context, body):
        if isinstance(body, dict):
            if isinstance(body.get("recipient"), str) and body["recipient"].strip():
                body["recipient"] = one_of(PEOPLE, body["recipient"])
            if isinstance(body.get("username"), str) and isinstance(body.get("password"), str):
                if one_of([True], body) is True:
                    body["username"], body["password"] = "bob", password
        return body

    @schemathesis.hook
    def filter_failure(context, failure, case, response):
        for reason, fits in EXPECTED.items():
            if fits(type(failure).__name__, case, response):
                excused[reason] += 1
                return False
        return True

    @schemathesis.hook
    def after_call(context, case, response):
        method = response.request.method
        declared = method == case.operation.method.upper()
        answers[f"{method} {case.operation.path}", declared, response.status_code] += 1

    @atexit.register
    def write():
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"role": role, "answers": [[*key, n] for key, n in answers.items()], "excused": excused}, file)


def verdict(paths):
    roles, excused, failed = collections.defaultdict(collections.Counter), collections.Counter(), []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            tally = json.load(file)
        excused.update(tally["excused"])
        for operation, declared, status, times in tally["answers"]:
            roles[tally["role"]][operation, declared, status] += times
    operations = {operation for answers in roles.values() for operation, declared, _ in answers if declared}
    for role, answers in roles.items():
        classes = collections.Counter()
        for (_, _, status), times in answers.items():
            classes[f"{status // 100}xx"] += times
        print(f"{role}: {sum(answers.values())} answers:", ", ".join(f"{c} {n}" for c, n in sorted(classes.items())))
        failed += [f"{role}: {status} from {operation}" for operation, _, status in answers if status >= 500]
        for operation in sorted(operations):
            good = sum(n for (o, declared, status), n in answers.items() if o == operation and declared and status < 300)
            may = role in ROLES or operation in OPEN
            if may and not good:
                failed.append(f"{role}: no 2xx from {operation}")
            if good and not may:
                failed.append(f"{role}: {good} 2xx from {operation}")
    print("\n".join(f"{times} times: {reason}" for reason, times in excused.items()))
    if set(roles) != {"nobody", *ROLES} or len(operations) < 10:
        failed.append(f"not every role or operation was tried: {sorted(roles)}, {len(operations)} operations")
    return failed


if __name__ == "__main__" and sys.argv[1] == "--count":
    with open(sys.argv[2], encoding="utf-8") as tally_file:
        print(sum(times for *_, times in json.load(tally_file)["answers"]))
elif __name__ == "__main__":
    found = verdict(sys.argv[1:])
    print("\n".join(found))
    sys.exit(1 if found else 0)
elif "CHATD_API_ROLE" in os.environ:
    load()
