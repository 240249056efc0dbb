/*
 * The least that a FastCGI responder can do, beside which Berth is measured: libfcgi as its
 * examples use it, in processes of which each serves one request at a time.
 *
 *	bare_fcgi -s SOCKET [-n PROCESSES] -f DIRECTORY
 *	bare_fcgi -s SOCKET [-n PROCESSES] -d CONNINFO -p PROJECT
 *
 * The last part of a request's path names a document.  With -f it is a file that was read at
 * the start, and whoever sends If-None-Match has it already.  With -d it is the index file of a
 * crate of that project, by one prepared statement.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <libpq-fe.h>

enum { DOCUMENTS_MAX = 64, BACKLOG = 1024, NAME_SIZE = 256 };

static const char statement[] =
    "SELECT e.tag, CASE WHEN e.tag = $3 THEN NULL ELSE index_body END FROM crates,"
    " LATERAL (SELECT to_hex(index_time) || '-' || to_hex(length(index_body)) AS tag) e"
    " WHERE project_id = $1 AND normalized_name = $2";

struct document {
	char name[NAME_SIZE];
	char *p;
	size_t n;
};

static struct document documents[DOCUMENTS_MAX];
static size_t ndocuments;
static const char *project;

static void
fail(const char *what)
{
	fprintf(stderr, "bare_fcgi: %s\n", what);
	exit(1);
}

static void
document_read(const char *directory, const char *name)
{
	struct document *d = &documents[ndocuments++];
	char path[4096];
	struct stat st;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	snprintf(d->name, sizeof(d->name), "%s", name);
	f = fopen(path, "r");
	if (f == NULL || fstat(fileno(f), &st) == -1)
		fail(path);
	d->n = (size_t)st.st_size;
	d->p = malloc(d->n + 1);
	if (d->p == NULL || fread(d->p, 1, d->n, f) != d->n)
		fail(path);
	fclose(f);
}

static void
documents_read(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *e;

	if (dir == NULL)
		fail(directory);
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] != '.' && ndocuments < DOCUMENTS_MAX)
			document_read(directory, e->d_name);
	}
	closedir(dir);
}

static void
answer(FCGX_Request *rq, const char *etag, const char *p, size_t n)
{
	FCGX_FPrintF(rq->out,
	    "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Encoding: gzip\r\n"
	    "ETag: \"%s\"\r\nContent-Length: %lu\r\n\r\n", etag, (unsigned long)n);
	FCGX_PutStr(p, (int)n, rq->out);
}

static void
answer_short(FCGX_Request *rq, const char *status)
{
	FCGX_FPrintF(rq->out, "Status: %s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", status);
}

static void
serve_file(FCGX_Request *rq, const char *name)
{
	if (FCGX_GetParam("HTTP_IF_NONE_MATCH", rq->envp) != NULL) {
		answer_short(rq, "304 Not Modified");
		return;
	}
	for (size_t i = 0; i < ndocuments; i++) {
		if (strcmp(documents[i].name, name) == 0) {
			answer(rq, "bare", documents[i].p, documents[i].n);
			return;
		}
	}
	answer_short(rq, "404 Not Found");
}

/* The ETag without its quotes; what is no ETag of ours matches nothing. */
static const char *
etag_of(const FCGX_Request *rq, char *etag, size_t size)
{
	const char *s = FCGX_GetParam("HTTP_IF_NONE_MATCH", rq->envp);

	if (s == NULL || s[0] != '"')
		return "";
	snprintf(etag, size, "%.*s", (int)strcspn(s + 1, "\""), s + 1);
	return etag;
}

static void
serve_row(FCGX_Request *rq, PGconn *pg, const char *name)
{
	char etag[NAME_SIZE];
	const char *values[] = { project, name, etag_of(rq, etag, sizeof(etag)) };
	PGresult *res = PQexecPrepared(pg, "document", 3, values, NULL, NULL, 1);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fail(PQerrorMessage(pg));
	if (PQntuples(res) == 0)
		answer_short(rq, "404 Not Found");
	else if (PQgetisnull(res, 0, 1))
		answer_short(rq, "304 Not Modified");
	else
		answer(rq, PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1), (size_t)PQgetlength(res, 0, 1));
	PQclear(res);
}

static PGconn *
connect_database(const char *conninfo)
{
	PGconn *pg = PQconnectdb(conninfo);
	PGresult *res;

	if (PQstatus(pg) != CONNECTION_OK)
		fail(PQerrorMessage(pg));
	res = PQprepare(pg, "document", statement, 0, NULL);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		fail(PQerrorMessage(pg));
	PQclear(res);
	return pg;
}

static void
serve(int fd, const char *conninfo)
{
	PGconn *pg = conninfo == NULL ? NULL : connect_database(conninfo);
	FCGX_Request rq;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&rq, fd, 0) != 0)
		fail("libfcgi does not start");
	while (FCGX_Accept_r(&rq) == 0) {
		const char *uri = FCGX_GetParam("REQUEST_URI", rq.envp);
		const char *slash = uri == NULL ? NULL : strrchr(uri, '/');

		if (slash == NULL)
			answer_short(&rq, "400 Bad Request");
		else if (pg == NULL)
			serve_file(&rq, slash + 1);
		else
			serve_row(&rq, pg, slash + 1);
		FCGX_Finish_r(&rq);
	}
}

int
main(int argc, char **argv)
{
	const char *path = NULL, *conninfo = NULL, *directory = NULL;
	int processes = 8;
	int c, fd;

	while ((c = getopt(argc, argv, "d:f:n:p:s:")) != -1) {
		switch (c) {
		case 'd':
			conninfo = optarg;
			break;
		case 'f':
			directory = optarg;
			break;
		case 'n':
			processes = (int)strtol(optarg, NULL, 10);
			break;
		case 'p':
			project = optarg;
			break;
		case 's':
			path = optarg;
			break;
		default:
			fail("see the comment in bare_fcgi.c");
		}
	}
	if (path == NULL || (conninfo == NULL) == (directory == NULL) || (conninfo != NULL && project == NULL))
		fail("see the comment in bare_fcgi.c");
	if (directory != NULL)
		documents_read(directory);
	fd = FCGX_OpenSocket(path, BACKLOG);
	if (fd == -1)
		fail(path);
	for (int i = 0; i < processes; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			serve(fd, conninfo);
			return 0;
		}
	}
	while (wait(NULL) != -1)
		;
	return 0;
}
