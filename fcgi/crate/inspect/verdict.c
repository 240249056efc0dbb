#include "crate/inspect/verdict.h"

#include "base/json.h"
#include "crate/package_json.h"

static void
write_package(struct json_out *o, const struct package *pkg)
{
	json_out_open(o, '{');
	package_json_write(o, pkg);
	json_out_key_str(o, "edition", pkg->edition);
	json_out_key_bool(o, "has_lib", pkg->has_lib);
	package_json_write_strings(o, "bins", &pkg->bins);
	json_out_close(o, '}');
}

void
verdict_encode(struct buf *b, const struct verdict *v)
{
	struct json_out o;

	json_out_init(&o, b);
	json_out_open(&o, '{');
	json_out_key_bool(&o, "accepted", v->accepted);
	if (v->accepted) {
		json_out_key_int(&o, "entries", v->entries);
		json_out_key_int(&o, "unpacked_size", v->unpacked_size);
		json_out_key(&o, "package");
		write_package(&o, &v->package);
	} else {
		json_out_key_int(&o, "status", v->status);
		json_out_key_str(&o, "error", v->error);
	}
	json_out_close(&o, '}');
	buf_putc(b, '\n');
}

static int
read_refusal(const struct json_get *get, struct verdict *out)
{
	int64_t status = 0;

	if (json_get_int(get, "status", true, &status) == -1 ||
	    json_get_str(get, "error", true, &out->error) == -1)
		return -1;
	/* whatever it says, it becomes the answer to a client */
	if (status < 400 || status > 599)
		return err_set(get->err, 400, "%s: field `status` is not that of an error",
		    get->what);
	out->status = (int)status;
	return 0;
}

static int
read_accepted(struct arena *a, const struct json_get *get, struct verdict *out)
{
	struct json_get pkg = *get;

	if (json_get_int(get, "entries", true, &out->entries) == -1 ||
	    json_get_int(get, "unpacked_size", true, &out->unpacked_size) == -1 ||
	    json_get_object(get, "package", true, &pkg.obj) == -1)
		return -1;
	if (package_json_read(a, &pkg, &out->package) == -1 ||
	    json_get_str(&pkg, "edition", false, &out->package.edition) == -1 ||
	    json_get_bool(&pkg, "has_lib", true, &out->package.has_lib) == -1)
		return -1;
	return package_json_read_strings(a, &pkg, "bins", &out->package.bins);
}

static int
read_verdict(struct arena *a, struct slice text, struct verdict *out, struct err *err)
{
	struct json_get get = { .what = "verdict", .err = err };

	if (text.n > VERDICT_MAX)
		return err_set(err, 400, "verdict: longer than %d bytes", VERDICT_MAX);
	if (json_parse(a, text, get.what, &get.obj, err) == -1)
		return -1;
	if (!json_object_is_type(get.obj, json_type_object))
		return err_set(err, 400, "verdict: expected an object");
	if (json_get_bool(&get, "accepted", true, &out->accepted) == -1)
		return -1;
	return out->accepted ? read_accepted(a, &get, out) : read_refusal(&get, out);
}

int
verdict_decode(struct arena *a, struct slice text, struct verdict *out, struct err *err)
{
	struct err reason = { 0 };

	*out = (struct verdict) { 0 };
	if (read_verdict(a, text, out, &reason) == 0)
		return 0;
	/* no client sent it: whatever is wrong with it is a fault of ours */
	return err_internal(err, 500, "%s", reason.pub);
}
