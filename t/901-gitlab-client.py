# Drives the management API with python-gitlab, a client that was made for GitLab: what it finds
# there it must find here.  Writes TAP.
#
#	python3 t/901-gitlab-client.py URL CACERT GROUP PROJECT TOKENS

import json
import sys

import gitlab

url, cacert, group_path, project_path, tokens = sys.argv[1:]
tokens = json.loads(tokens)
tests = 0


def ok(good, name, note=None):
    global tests
    tests += 1
    print("%sok %d - %s" % ("" if good else "not ", tests, name.replace("#", "")))
    if not good and note is not None:
        print("# " + str(note).replace("\n", "\n# "))


def same(got, want, name):
    ok(got == want, name, "got %r, not %r" % (got, want))


def refused(status, call, name):
    try:
        call()
    except gitlab.exceptions.GitlabError as e:
        same(e.response_code, status, name)
        ok(isinstance(e.error_message, str) and e.error_message != "", name + ": and says why",
            e.error_message)
        return
    ok(False, name, "it was not refused")
    ok(False, name)


def client(**credential):
    return gitlab.Gitlab(url, ssl_verify=cacert, timeout=60, **credential)


def names(packages):
    return sorted("%s %s" % (p.name, p.version) for p in packages)


gl = client(private_token=tokens["maintainer"])

# ---- who am I, where is what ----

gl.auth()
same(gl.user.username, "mia", "signs in")
ok(gl.version()[0] not in ("", "unknown"), "asks for the version", gl.version())
project = gl.projects.get(project_path)
same(project.path_with_namespace, project_path, "finds a project by its path")
same(gl.projects.get(project.id).id, project.id, "and by its id")
same(project.namespace["full_path"], group_path, "which knows its group")
group = gl.groups.get(group_path)
same(group.id, project.namespace["id"], "finds the group")
same([p.id for p in gl.projects.list(get_all=True)], [project.id], "lists projects")
same([p.id for p in group.projects.list(get_all=True)], [project.id], "lists those of the group")
refused(404, lambda: gl.projects.get("nobody/nowhere"), "a project that is not there")

same([g.full_path for g in gl.groups.list(get_all=True)], [group_path], "lists groups")
same([g.id for g in gl.groups.list(search="emo", owned=False, min_access_level=40, top_level_only=True)],
    [group.id], "as it is asked to")
same(gl.groups.list(owned=True, get_all=True), [], "and finds none that it owns")
same(gl.groups.list(skip_groups=[group.id], get_all=True), [], "or leaves some out")
same(gl.projects.list(owned=True, get_all=True), [], "nor projects")
same([p.id for p in gl.projects.list(membership=True, get_all=True)], [project.id], "of which it is a member")
same((group.subgroups.list(get_all=True), group.descendant_groups.list(get_all=True)), ([], []),
    "the group has none below it")
same(gl.http_get("/metadata")["version"], gl.version()[0], "asks for the metadata")

# What a GitLab has and this server has not: what python-gitlab, glab and Terraform's provider ask of it in
# those places.
for what, call in {
    "users": lambda: gl.users.list(),
    "namespaces": lambda: gl.namespaces.list(),
    "deploy tokens of all": lambda: gl.deploytokens.list(),
    "access tokens of a project": lambda: project.access_tokens.list(),
    "access tokens of a group": lambda: group.access_tokens.list(),
    "a token that one makes for oneself": lambda: gl.http_post("/user/personal_access_tokens",
        post_data={"name": "x", "scopes": ["api"]}),
    "generic packages": lambda: gl.http_get("/projects/%d/packages/generic/a/1/b" % project.id),
    "invitations": lambda: project.invitations.list(),
    "shared groups of a project": lambda: project.groups.list(),
    "users of a project": lambda: project.users.list(),
    "shared projects of a group": lambda: group.shared_projects.list(),
    "billable members": lambda: group.billable_members.list(),
    "variables": lambda: project.variables.list(),
    "a file of the repository": lambda: project.files.get("README", ref="main"),
    "search": lambda: gl.search("projects", "x"),
}.items():
    try:
        call()
        ok(False, what + ": there is none", "it was not refused")
    except gitlab.exceptions.GitlabError as e:
        same((e.response_code, "Berth has no such part" in e.error_message), (404, True),
            what + ": there is none, and it is said")

# ---- packages ----

all_packages = project.packages.list(get_all=True)
same(len(all_packages), 25, "lists all packages over several pages")
same(len(project.packages.list(page=2, per_page=10)), 10, "or one page")
same(project.packages.list(page=9), [], "or none past the end")
same(sum(1 for p in project.packages.list(iterator=True, per_page=7)), 25, "iterates over them")
same(project.packages.list(iterator=True).total, 25, "knows how many there are")
ok(all(p.package_type == "cargo" and p.status == "default" for p in all_packages), "all are crates")
by_name = project.packages.list(order_by="name", sort="desc", get_all=True)
same([p.name for p in by_name], sorted((p.name for p in all_packages), reverse=True), "orders them")
same(names(project.packages.list(package_name="alpha", get_all=True)), ["alpha 1.0.0", "alpha 1.1.0"],
    "searches by name")
same(names(project.packages.list(package_name="alpha", package_version="1.1.0", get_all=True)),
    ["alpha 1.1.0"], "and version")
same(project.packages.list(package_type="npm", get_all=True), [], "filters by type")
refused(400, lambda: project.packages.list(order_by="colour"), "an order that is none")
same(len(group.packages.list(get_all=True)), 25, "lists those of the group")
same(group.packages.list(package_name="alpha")[0].project_path, project_path, "which tell their project")

alpha = project.packages.get(project.packages.list(package_name="alpha", package_version="1.0.0")[0].id)
same((alpha.name, alpha.version, alpha.creator_id), ("alpha", "1.0.0", gl.user.id), "shows one")
same([v["version"] for v in alpha.versions], ["1.1.0"], "with its other version")
files = alpha.package_files.list(get_all=True)
same([f.file_name for f in files], ["alpha-1.0.0.crate"], "lists its file")
ok(len(files[0].file_sha256) == 64 and files[0].size > 0, "with checksum and size")
same(gl.http_list("/projects/%d/packages/%d/pipelines" % (project.id, alpha.id), get_all=True), [],
    "and no pipeline")
by_job = project.packages.list(package_name="from-job")[0]
same(gl.http_list("/projects/%d/packages/%d/pipelines" % (project.id, by_job.id), get_all=True)[0]["id"], 17,
    "or one")
refused(404, lambda: project.packages.get(999999999), "a package that is not there")

alpha.delete()
refused(404, lambda: project.packages.get(alpha.id), "what it deletes is not there any more")
same(names(project.packages.list(package_name="alpha", get_all=True)), ["alpha 1.1.0"], "nor listed")
same(names(project.packages.list(status="pending_destruction", get_all=True)), ["alpha 1.0.0"],
    "but waits to be destroyed")
refused(404, lambda: project.packages.delete(alpha.id), "nothing is deleted twice")
other = project.packages.get(project.packages.list(package_name="crate-05")[0].id)
other.package_files.list()[0].delete()
refused(404, lambda: project.packages.get(other.id), "a package without its file is none")

# ---- who may not ----

reporter = client(private_token=tokens["reporter"]).projects.get(project.id, lazy=True)
some = project.packages.list(package_name="crate-06")[0]
same(len(reporter.packages.list(get_all=True)), 23, "a reporter lists")
refused(403, lambda: reporter.packages.delete(some.id), "but deletes nothing")
stranger = client(private_token=tokens["stranger"])
refused(404, lambda: stranger.projects.get(project.id), "a stranger finds no project")
refused(404, lambda: stranger.projects.get(project.id, lazy=True).packages.list(), "nor packages")
same(stranger.projects.list(get_all=True), [], "nor anything in the list")
refused(401, lambda: client().projects.get(project.id, lazy=True).packages.list(), "nobody is to sign in")
refused(401, lambda: client(private_token="x").auth(), "with a token that is one")
job = client(job_token=tokens["job"]).projects.get(project.id, lazy=True)
same(len(job.packages.list(get_all=True)), 23, "a job lists by its own header")

# ---- deploy tokens ----

for place, what in ((project, "project"), (group, "group")):
    made = place.deploytokens.create({"name": "mirror", "scopes": ["read_package_registry"],
        "expires_at": "2099-01-01", "username": "mirror-1"})
    ok(made.token.startswith("berth_dep_"), "makes a deploy token of the " + what)
    same((made.name, made.username, made.scopes, made.expires_at),
        ("mirror", "mirror-1", ["read_package_registry"], "2099-01-01T00:00:00.000Z"), "as it was asked for")
    reads = client(oauth_token=made.token).projects.get(project.id, lazy=True)
    same(len(reads.packages.list(get_all=True)), 23, "which reads")
    refused(403, lambda: reads.packages.delete(some.id), "and no more")
    same([t.id for t in place.deploytokens.list(active=True, get_all=True)], [made.id], "lists it")
    ok(not hasattr(place.deploytokens.get(made.id), "token"), "without the token itself")
    place.deploytokens.delete(made.id)
    refused(401, lambda: reads.packages.list(), "and revokes it")
    same(place.deploytokens.list(active=True, get_all=True), [], "so that none is good")
    same([t.revoked for t in place.deploytokens.list(get_all=True)], [True], "but one was")
    refused(400, lambda: place.deploytokens.create({"name": "x", "scopes": ["read_repository"]}),
        "a scope that is not there")
refused(403,
    lambda: client(private_token=tokens["reporter"]).projects.get(project.id, lazy=True).deploytokens.list(),
    "a reporter sees none")

# ---- tokens of one's own ----

mine = gl.personal_access_tokens.list(get_all=True)
same([t.user_id for t in mine], [gl.user.id] * len(mine), "lists its own tokens")
spare = gl.http_post("/personal_access_tokens/%d/rotate" % tokens["spare_id"])
ok(spare["token"].startswith("berth_pat_") and spare["id"] != tokens["spare_id"], "rotates one")
rotated = client(private_token=spare["token"])
rotated.auth()
same(rotated.user.id, gl.user.id, "the new one is as good")
same(rotated.http_get("/personal_access_tokens/self")["id"], spare["id"], "and knows itself")
rotated.http_delete("/personal_access_tokens/self")
refused(401, lambda: rotated.auth(), "and ends itself")
# at the end, as an old one that is shown again ends the new one
refused(401, lambda: client(private_token=tokens["spare"]).auth(), "the old one has ended")
refused(404, lambda: gl.personal_access_tokens.delete(tokens["foreign_id"]), "another one's token is none")
client(private_token=tokens["stranger"]).auth()
ok(True, "and still good")

# ---- members ----

added = project.members.create({"user_id": tokens["stranger_user_id"],
    "access_level": gitlab.const.AccessLevel.DEVELOPER, "expires_at": "2099-12-31"})
same((added.username, added.access_level, added.expires_at), ("sam", 30, "2099-12-31"), "adds a member")
same(stranger.projects.get(project.id).id, project.id, "who finds the project at once")
refused(409, lambda: project.members.create({"user_id": tokens["stranger_user_id"], "access_level": 20}),
    "not twice")
refused(403, lambda: project.members.create({"user_id": tokens["reporter_user_id"], "access_level": 50}),
    "nobody grants a role above their own")
added.access_level = 10
added.save()
same(project.members.get(added.id).access_level, 10, "changes a member")
same(sorted(m.username for m in project.members_all.list(get_all=True)), ["mia", "ron", "sam"],
    "lists members, also of the group")
same([m.username for m in project.members.list(get_all=True)], ["sam"], "or the project's own")
added.delete()
refused(404, lambda: stranger.projects.get(project.id), "removes a member, who is out at once")

# ---- protection rules ----

rules = "/projects/%d/packages/protection/rules" % project.id
rule = gl.http_post(rules, post_data={
    "package_name_pattern": "crate-*", "package_type": "cargo", "minimum_access_level_for_delete": "owner",
})
fields = ("package_name_pattern", "minimum_access_level_for_push", "minimum_access_level_for_delete")
same(tuple(rule[field] for field in fields), ("crate-*", None, "owner"), "protects packages")
refused(403, lambda: project.packages.delete(some.id), "from being deleted")
for status, pattern, level, what in (
    (422, "Crate_*", "admin", "one pattern, one rule"),
    (400, "x", "maintainer", "a level that is none"),
):
    change = {"package_name_pattern": pattern, "minimum_access_level_for_delete": level}
    refused(status, lambda: gl.http_post(rules, post_data=change), what)
change = {"minimum_access_level_for_push": "maintainer", "minimum_access_level_for_delete": None}
refused(403, lambda: gl.http_request("patch", "%s/%d" % (rules, rule["id"]), post_data=change),
    "by whoever has not the level that it names")
changed = client(private_token=tokens["admin"]).http_request("patch", "%s/%d" % (rules, rule["id"]),
    post_data=change).json()
same((changed["minimum_access_level_for_push"], changed["minimum_access_level_for_delete"]),
    ("maintainer", None), "changes the rule")
same([r["id"] for r in gl.http_list(rules, get_all=True)], [rule["id"]], "lists it")
gl.http_delete("%s/%d" % (rules, rule["id"]))
same(gl.http_list(rules, get_all=True), [], "takes it away")
project.packages.delete(some.id)
ok(True, "and deletes what it protected")

# ---- which jobs come in ----

scope = "/projects/%d/job_token_scope" % project.id
same(gl.http_get(scope), {"inbound_enabled": True, "outbound_enabled": False}, "the allow-list counts")
elsewhere = client(job_token=tokens["foreign_job"]).projects.get(project.id, lazy=True)
refused(404, lambda: elsewhere.packages.list(), "a job from elsewhere finds nothing")
admin = client(private_token=tokens["admin"])
made = admin.http_post(scope + "/allowlist", post_data={"target_project_id": tokens["foreign_project_id"]})
same((made["source_project_id"], made["target_project_id"]), (project.id, tokens["foreign_project_id"]),
    "lets a project in")
same(len(elsewhere.packages.list(get_all=True)), 22, "whose job is")
same([p["path_with_namespace"] for p in gl.http_list(scope + "/allowlist", get_all=True)], ["apps/web"],
    "lists it")
refused(404,
    lambda: gl.http_post(scope + "/allowlist", post_data={"target_project_id": tokens["foreign_project_id"]}),
    "one that the caller may not know of is none")
gl.http_delete("%s/allowlist/%d" % (scope, tokens["foreign_project_id"]))
refused(404, lambda: elsewhere.packages.list(), "and out again")
refused(404, lambda: gl.http_delete("%s/allowlist/%d" % (scope, tokens["foreign_project_id"])), "not twice")
made = admin.http_post(scope + "/groups_allowlist", post_data={"target_group_id": tokens["foreign_group_id"]})
same(made["target_group_id"], tokens["foreign_group_id"], "lets a group in")
same([g["full_path"] for g in gl.http_list(scope + "/groups_allowlist", get_all=True)], ["apps"], "lists it")
same(len(elsewhere.packages.list(get_all=True)), 22, "all of its jobs are")
gl.http_delete("%s/groups_allowlist/%d" % (scope, tokens["foreign_group_id"]))
gl.http_request("patch", scope, post_data={"enabled": False})
same(gl.http_get(scope)["inbound_enabled"], False, "lets all jobs in")
same(len(elsewhere.packages.list(get_all=True)), 22, "as who has started them")
gl.http_request("patch", scope, post_data={"enabled": True})
refused(404, lambda: elsewhere.packages.list(), "or not")

print("1..%d" % tests)
