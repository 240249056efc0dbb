/* store/db/db_conninfo. */
#include "store/db/db.h"

#include "store/db/db_hosts.h"
#include "tap.h"

static const struct {
	const char *conninfo, *shown;
} conninfos[] = {
	{ "host=db password=hunter2 dbname=berth", "password=**** dbname=berth host=db" },
	{ "host=db dbname=berth  passfile=/p", "host=db dbname=berth  passfile=/p" },
	{ "", "" },
	{ "password='with \\' quotes hunter2' user='a \\'b\\\\c' dbname=''",
	    "user='a \\'b\\\\c' password=**** dbname=''" },
	{ "password=hunter2 password=x", "password=****" },
	{ "password='' host=db", "password=**** host=db" },
	{ "sslpassword=hunter2 sslkey=/k", "sslkey=/k sslpassword=****" },
	{ "postgresql://berth@db/berth?sslmode=require", "postgresql://berth@db/berth?sslmode=require" },
	{ "postgresql://berth:hunter2@db:5433/registry",
	    "user=berth password=**** dbname=registry host=db port=5433" },
	{ "postgres://berth:hunter2@db?password=x%20y", "user=berth password=**** host=db" },
	{ "postgresql://db/berth?password=hunter2", "password=**** dbname=berth host=db" },
	{ "password='hunter2", "****" },
	{ "pasword=hunter2", "****" },
	{ "host=db dbname=postgres://u:hunter2@db/berth", "dbname=**** host=db" },
	{ "hunter2", "****" },
	{ "postgresql://berth:hunter2@[::1/db", "****" },
};

/* What the arguments of a program show, and what it gets in another way. */
static const struct {
	const char *conninfo, *open, *password;
} splits[] = {
	{ "host=db dbname=berth  passfile=/p", "host=db dbname=berth  passfile=/p", NULL },
	{ "host=db password=hunter2 dbname=berth", "dbname=berth host=db", "hunter2" },
	{ "postgresql://berth:x%20y@db:5433/registry", "user=berth dbname=registry host=db port=5433", "x y" },
	{ "sslpassword=hunter2 sslkey=/k", "sslkey=/k sslpassword=****", NULL },
	{ "berth", "berth", NULL },
};

/* Hosts that are tried one by one, as HOST[ADDRESS]:PORT. */
static const struct {
	const char *conninfo, *hosts;
} lists[] = {
	{ "host=a,b port=1,2", "a[]:1 b[]:2 " },
	{ "host=a,b,c port=5433", "a[]:5433 b[]:5433 c[]:5433 " },
	{ "host=/run/a,/run/b", "/run/a[]: /run/b[]: " },
	{ "hostaddr=192.0.2.1,192.0.2.2 host=a,b", "a[192.0.2.1]: b[192.0.2.2]: " },
	{ "hostaddr=192.0.2.1,192.0.2.2", "[192.0.2.1]: [192.0.2.2]: " },
	{ "postgresql://a:1,b/x?target_session_attrs=read-write", "a[]:1 b[]: " },
	/* libpq itself handles these, or reports them as errors */
	{ "host=a port=1", "" },
	{ "dbname=berth", "" },
	{ "berth", "" },
	{ "host=a,,b", "" },
	{ "host=a,b port=1,2,3", "" },
	{ "host=a,b target_session_attrs=prefer-standby", "" },
	{ "host=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "" },
};

static void
test_hosts(const char *conninfo, const char *expected)
{
	struct db_hosts hosts;
	char text[128] = "";
	size_t n = 0;

	db_hosts_read(&hosts, conninfo);
	for (size_t i = 0; i < hosts.n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s[%s]:%s ", hosts.host[i], hosts.address[i],
		    hosts.port[i]);
	is_str(text, expected, conninfo);
	db_hosts_free(&hosts);
}

/* Whoever sees what is printed knows all but the secrets, and libpq understands it. */
int
main(void)
{
	for (size_t i = 0; i < sizeof(conninfos) / sizeof(*conninfos); i++) {
		char shown[256] = "";
		FILE *f = fmemopen(shown, sizeof(shown), "w");

		db_print_conninfo(f, conninfos[i].conninfo);
		fclose(f);
		is_str(shown, conninfos[i].shown, conninfos[i].conninfo);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		test_hosts(lists[i].conninfo, lists[i].hosts);
	for (size_t i = 0; i < sizeof(splits) / sizeof(*splits); i++) {
		struct arena *a = arena_new();
		const char *password;

		is_str(db_conninfo_split(a, splits[i].conninfo, &password), splits[i].open, splits[i].conninfo);
		is_str(password != NULL ? password : "-", splits[i].password != NULL ? splits[i].password : "-",
		    "its password");
		arena_free(a);
	}
	return tap_done();
}
