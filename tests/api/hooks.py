"""What `scripts/schemathesis` adds to schemathesis: who asks, some names and numbers that are there, failures that are
none, and a count of the answers.

In a run it is loaded by schemathesis (SCHEMATHESIS_HOOKS). As a program, `hooks.py TALLY ...`, it prints the counts and
says whether every role has got through to every operation; with `--count` only how many answers one tally has.
"""

import atexit
import base64
import collections
import json
import os
import subprocess
import sys
import time
import zlib

ROLES = {"user": "ann", "superuser": "root"}
PEOPLE = ["ann", "bob", "root"]
# Four pixels.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEUlEQVR4nGM4"
    "wcAARAxg8gQAFe4DId/wG6QAAAAASUVORK5CYII=")
# What somebody without a session gets a 2xx from; everything else must refuse.
OPEN = {"POST /api/v1/session/", "DELETE /api/v1/session/", "GET /api/v1/signup/", "POST /api/v1/signup/",
        "POST /api/v1/session/passkey/", "POST /api/v1/session/passkey/sign-in/", "POST /api/v1/session/second-step/",
        "POST /api/v1/password/forgot/", "POST /api/v1/password/reset/", "POST /api/v1/email/confirm/",
        "POST /api/v1/signup/confirm/"}
# What only an authenticator can make, for this moment alone, and what only a letter carries: tests/it/security/
# second_factor.rs, passkeys.rs and links.rs get through.
LIVE = {"POST /api/v1/account/second-factor/confirm/", "POST /api/v1/account/second-factor/off/",
        "POST /api/v1/account/second-factor/recovery-codes/", "POST /api/v1/account/passkey/",
        "POST /api/v1/account/passkey/{id}/remove/", "POST /api/v1/session/passkey/sign-in/",
        "POST /api/v1/session/second-step/", "POST /api/v1/password/reset/", "POST /api/v1/email/confirm/",
        "POST /api/v1/signup/confirm/"}
# Of the staff alone.
STAFF = {"GET /api/v1/report/", "PATCH /api/v1/report/{id}/"}


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


def picky(kind, case, response):
    return kind == "RejectedPositiveData" and response.status_code == 400 and set(response.json()) <= {
        "display_name", "about", "time_zone", "avatar"}


def number_or_text(kind, case, response):
    if kind != "AcceptedNegativeData" or not isinstance(case.body, dict):
        return False
    is_number = lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)
    texts = [case.body.get(name) for name in (
        "recipient", "body", "client_id", "username", "user", "password", "note", "email", "invite", "current_password",
        "new_password", "display_name", "about", "time_zone", "token", "code", "name", "client_data",
        "attestation_object", "credential_id", "authenticator_data", "signature", "user_handle")]
    numbers = [case.body.get(name) for name in ("seq", "reply_to", "uses", "days")]
    flags = [case.body.get(name) for name in ("pinned", "archived", "share_typing", "share_presence", "share_read", "closed")]
    return (any(map(is_number, texts + flags)) or any(isinstance(flag, str) for flag in flags)
            or any(isinstance(n, str) and n.strip().lstrip("+-").isdigit() for n in numbers))


def unknown_method(kind, case, response):
    return kind == "UnsupportedMethodResponse" and response.request.method == "QUERY" and response.status_code == 400


def left_out(kind, case, response):
    return kind == "AcceptedNegativeData" and case.operation.path == "/api/v1/session/passkey/" \
        and not response.request.body


# Failures that are none, each with its reason. How often each was met is printed.
EXPECTED = {
    "what a form cannot carry is not sent, and this one needs nothing": left_out,
    "a cursor is opaque: the description gives it no form, and what was not given out is refused": opaque_cursor,
    "before_seq, after_seq or around_seq, one of them and with target: a description cannot say that": one_place,
    "names, lines, zones and pictures have rules that a description cannot say": picky,
    "limit of the numbered list, and of the whole list of people, is ignored, as recorded": ignored_limit,
    "numbers are taken where text is wanted and the other way round, as recorded and as forms send them": number_or_text,
    "a method that the HTTP library does not know is refused before there is a route: 400": unknown_method,
}


def one_of(known, given):
    """One of these in place of three of four given ones: always the same one, or what was made up could not be made up
    again."""
    chance = zlib.crc32(repr(given).encode("utf-8", "backslashreplace"))
    return known[chance // 4 % len(known)] if chance % 4 else given


def load():
    import requests
    import schemathesis

    base, role, path, password, program = (
        os.environ[f"API_UNDER_TEST_{name}"] for name in ("BASE", "ROLE", "TALLY", "PASSWORD", "PROGRAM"))
    seed = path
    answers, excused = collections.Counter(), collections.Counter()
    # The others far more often than oneself: with oneself one has no conversation.
    people = [name for name in PEOPLE if name != ROLES.get(role)] * 4 + PEOPLE

    if role in ROLES:

        # A session is made anew every ten seconds, in case that one was ended.
        @schemathesis.auth(refresh_interval=10)
        class Session:
            def get(self, case, context):
                return sign_in(ROLES[role])

            def set(self, case, data, context):
                # Signing out ends a session, and signing in and making an account end the one before: these have one of
                # their own.
                if case.operation.path in ("/api/v1/session/", "/api/v1/signup/") and case.operation.method.upper() != "GET":
                    data = self.get(case, context)
                # These end the sessions of whoever asks, and the account: somebody who does nothing else.
                path = case.operation.path
                changes = path.startswith("/api/v1/account/") and case.operation.method.upper() != "GET"
                if changes or "/device/" in path or "/export/" in path:
                    data = somebody()
                case.headers["Cookie"] = f"sessionid={data}"

    # The description says nothing of what is in a picture: half of them are none.
    @schemathesis.serializer("image/png", "image/jpeg", "image/webp")
    def picture(context, value):
        text = repr(value).encode("utf-8", "backslashreplace")
        return PICTURE if zlib.crc32(text) % 2 else text

    others, session = [], None

    # Somebody new when the last one is gone, or has another password now.
    def somebody():
        nonlocal session
        if session and requests.get(f"{base}/api/v1/session/", timeout=60, cookies={"sessionid": session}).ok:
            return session
        session = others and sign_in(others[-1], give_up=False)
        if not session:
            others.append(f"other-{role}-{zlib.crc32(seed.encode())}-{len(others)}")
            subprocess.run([program, "user", "add", others[-1], "--password-stdin"], input=f"{password}\n", text=True,
                           check=True, stdout=subprocess.DEVNULL)
            session = sign_in(others[-1])
        return session

    def own_device():
        answer = requests.get(f"{base}/api/v1/device/", cookies={"sessionid": somebody()}, timeout=60)
        return answer.json()["results"][-1]["id"]

    def own_export():
        cookies = {"sessionid": somebody()}
        address = f"{base}/api/v1/account/export/"
        export = requests.get(address, cookies=cookies, timeout=60).json()
        if export["state"] == "none":
            requests.post(address, cookies=cookies, timeout=60)
        for _ in range(600):
            export = requests.get(address, cookies=cookies, timeout=60).json()
            if export["state"] == "ready":
                return export["id"]
            time.sleep(0.1)
        raise RuntimeError(f"no export: {export}")

    def name_of_a_picture():
        answer = requests.put(f"{base}/api/v1/account/avatar/", PICTURE, cookies={"sessionid": bob}, timeout=60,
                              headers={"Content-Type": "image/png"})
        answer.raise_for_status()
        return answer.json()["avatar"]

    def sign_in(name, give_up=True):
        answer = requests.post(f"{base}/api/v1/session/", timeout=60, json={"username": name, "password": password})
        if give_up:
            answer.raise_for_status()
        return answer.cookies.get("sessionid")

    bob = sign_in("bob")
    avatar = name_of_a_picture()

    @schemathesis.hook
    def map_path_parameters(context, path_parameters):
        if path_parameters:
            address = context.operation.path
            if isinstance(path_parameters.get("name"), str):
                known = ["dave"] if "/block/" in address else people
                path_parameters["name"] = one_of(known, path_parameters["name"])
            if isinstance(path_parameters.get("avatar"), str):
                path_parameters["avatar"] = one_of([avatar], path_parameters["avatar"])
            given = path_parameters.get("id")
            if "/device/" in address and isinstance(given, str) and one_of([True], given) is True:
                path_parameters["id"] = own_device()
            elif "/export/" in address and type(given) is int and one_of([True], given) is True:
                path_parameters["id"] = own_export()
            elif type(given) is int and -(2**63) <= given < 2**63:
                path_parameters["id"] = one_of([2, 2, 1, 3], given)
        return path_parameters

    @schemathesis.hook
    def map_query(context, query):
        if query and isinstance(query.get("target"), str):
            query["target"] = one_of(people, query["target"])
        return query

    @schemathesis.hook
    def map_body(context, body):
        if isinstance(body, dict):
            texts = {name for name, value in body.items() if isinstance(value, str)}
            if context.operation.path == "/api/v1/signup/":
                if {"username", "password"} <= texts and one_of([True], body) is True:
                    name = f"new{zlib.crc32(repr((seed, body)).encode('utf-8', 'backslashreplace'))}"
                    body.update(username=name, password=f"a good one for {name}")
                    if isinstance(body.get("invite"), str):
                        del body["invite"]
                return body
            if {"current_password", "new_password"} <= texts and one_of([True], body) is True:
                body.update(current_password=password, new_password=password)
            elif "current_password" in texts and one_of([True], body) is True:
                body.update(current_password=password)
            if context.operation.path == "/api/v1/session/passkey/" and "token" in texts \
                    and one_of([True], body) is True:
                # A first step that was made up is none.
                del body["token"]
            # Nobody else: with whom one has blocked one has no conversation.
            if context.operation.path == "/api/v1/block/" and isinstance(body.get("user"), str) and body["user"].strip():
                body["user"] = one_of(["dave"], body["user"])
            # Messages to ann and to root: nobody reports their own.
            if context.operation.path == "/api/v1/report/" and type(body.get("message")) is int \
                    and abs(body["message"]) < 2**63:
                body["message"] = one_of([4, 5], body["message"])
            if isinstance(body.get("recipient"), str) and body["recipient"].strip():
                body["recipient"] = one_of(people, body["recipient"])
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
    through = collections.Counter()
    for role, answers in roles.items():
        classes = collections.Counter()
        for (_, _, status), times in answers.items():
            classes[f"{status // 100}xx"] += times
        print(f"{role}: {sum(answers.values())} answers:", ", ".join(f"{c} {n}" for c, n in sorted(classes.items())))
        failed += [f"{role}: {status} from {operation}" for operation, _, status in answers if status >= 500]
        for operation in sorted(operations):
            good = sum(n for (o, declared, status), n in answers.items() if o == operation and declared and status < 300)
            may = (operation in OPEN or role in ROLES and (role == "superuser" or operation not in STAFF)) \
                and operation not in LIVE
            tried = sum(n for (o, declared, _), n in answers.items() if o == operation and declared)
            # Most of what is made up is wrong: a few tries of one role may all be. Not so many, nor those of all roles.
            if may and not good and tried >= 200:
                failed.append(f"{role}: no 2xx from {operation} in {tried} tries")
            through[operation] += good
            if good and not may and operation not in LIVE:
                failed.append(f"{role}: {good} 2xx from {operation}")
    failed += [f"nobody got a 2xx from {operation}" for operation in sorted(operations - LIVE)
               if not through[operation]]
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
elif "API_UNDER_TEST_ROLE" in os.environ:
    load()
