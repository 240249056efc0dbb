#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

/*
 * Berth's configuration keys: the table settings_keys is behind berth.conf,
 * berth.conf(5) and `berth-fcgi -t`; t/000-source.t compares it with the sample and the page.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"

/* Sizes are in bytes, times in seconds. */
struct settings {
	/* where the service is */
	const char *external_url; /* https://host[:port][/path], no trailing slash */
	bool sso; /* nginx says who a browser's user is */
	const char *socket; /* path of the FastCGI socket */
	const char *write_socket; /* path of the socket for requests that may write; by default beside `socket` */
	int64_t socket_mode;
	const char *socket_owner; /* user[:group], "" = as started */
	/* where the data is */
	const char *database; /* libpq connection string */
	const char *database_direct; /* the same, past any pooler; by default `database` */
	const char *database_read; /* a replica of it, for reads; "": none */
	const char *store; /* directory of the blob store, or s3://BUCKET[/PREFIX] */
	const char *store_endpoint; /* of the object store; "": Amazon's */
	const char *store_region;
	const char *store_credentials; /* a file; "": of the environment */
	const char *store_ca_file; /* "": what the machine trusts */
	bool store_path_style;
	const char *store_copies; /* directory of this node's copies of an object store */
	int64_t store_copies_size;
	const char *backup_endpoint; /* for buckets of backups; the same keys as for the store */
	const char *backup_region;
	const char *backup_credentials;
	const char *backup_ca_file;
	bool backup_path_style;
	struct blob_store *blobs; /* the store that these keys describe; itself no key */
	const char *cache_dir; /* the files that nginx may send by itself; "": none */
	int64_t cache_lease, cache_stale_max;
	const char *token_key; /* a file of keys, with which nginx checks tokens; "": none */
	/* the pool */
	int64_t workers;
	int64_t write_workers;
	int64_t max_requests; /* a worker retires after so many; 0: never */
	int64_t request_timeout;
	int64_t drain_timeout;
	bool traceable; /* other processes of the same user may look into ours */
	int64_t database_timeout; /* of one statement */
	const char *pid_file; /* "": none */
	const char *log_file; /* "": standard error */
	const char *log_level;
	const char *monitoring_allow; /* space-separated addresses and networks */
	const char *monitoring_url; /* of nginx's server for monitoring */
	/* the worker */
	const char *node; /* the name of this host; "": its host name */
	const char *download_log; /* nginx's; "": Berth counts no downloads */
	const char *cache_log; /* nginx's; "": Berth does not count what nginx answers by itself */
	int64_t keep_unused; /* how long bytes stay that no version needs */
	int64_t keep_ended_tokens; /* how long the row of an ended token stays */
	const char *worker_pid_file; /* "": none */
	const char *worker_log_file; /* "": standard error */
	/* what may be published */
	int64_t max_crate_size;
	int64_t max_metadata_size;
	int64_t max_index_line_size;
	int64_t max_index_size;
	int64_t max_unpacked_size;
	int64_t max_entries;
	int64_t max_dependencies;
	int64_t max_features;
	int64_t max_keywords;
	int64_t max_categories;
	const char *required_metadata; /* space-separated words of Cargo.toml */
	const char *strict_metadata; /* space-separated words: an error there refuses the crate */
	const char *reserved_names; /* space-separated; besides those that are always reserved */
	const char *allowed_registries; /* space-separated index URLs, "*": any */
	const char *mirror_url; /* of a project: index URL of the registry whose crates it has, or "crates-io" */
	int64_t deleted_name_wait; /* before the name of a deleted crate can be used again */
	int64_t deletion_grace; /* in which a deleted version can come back */
	const char *inspector; /* path of berth-inspect */
	int64_t inspect_slots; /* inspections at once; 0: by the number of CPUs */
	int64_t inspect_timeout;
	/* CI systems elsewhere */
	const char *gitlab_url; /* the GitLab that vouches for job tokens; "": none */
	const char *gitlab_projects; /* space-separated: ID=GROUP/PROJECT, ids of GitLab's */
	const char *gitlab_token_prefixes; /* space-separated; GitLab gets only tokens that begin with one */
	int64_t issuer_keys_max_age; /* keys of an issuer count this long after they were read */
	const char *ci_ca_file; /* PEM, besides what the machine trusts; "": none */
	const char *outbound_proxy; /* http[s]://[user:password@]host:port; "": none */
	const char *outbound_proxy_except; /* space-separated names, domains, addresses, networks */
	/* how fast one caller may write: the burst, 0: no limit; and the rate after it */
	int64_t new_crate_burst;
	int64_t new_crate_per_minute;
	int64_t publish_burst;
	int64_t publish_per_minute;
	int64_t yank_burst;
	int64_t yank_per_minute;
	int64_t change_burst;
	int64_t change_per_minute;
	int64_t token_burst;
	int64_t token_per_minute;
	int64_t job_token_burst;
	int64_t job_token_per_minute;
	int64_t failed_login_burst;
	int64_t failed_login_per_minute;
	/* where the value of each of settings_keys is from (conf_load()); NULL after settings_restore() */
	const char *const *origins;
};

extern const struct conf_key settings_keys[];
extern const size_t settings_nkeys;

/* The key of that name, if a project may have its own value for it; else NULL. */
const struct conf_key *settings_project_key(struct slice name);

/* conf_load() over settings_keys and SETTINGS_VARIABLES; afterwards write_socket is never empty. */
int settings_load(struct arena *, const char *path, struct settings *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The store with that name, which must have passed blob_store_name_check(); these settings say how to reach
 * it.
 */
struct blob_store *settings_store(struct arena *, const struct settings *, const char *name);

/* How much of its request_timeout a request has for the object store; the rest is for its answer. */
int64_t settings_store_patience_ms(const struct settings *);

/* Seconds after which no upload still needs its file in staging: two requests, and a little more. */
int64_t settings_staging_age(const struct settings *);

/* How to reach a bucket of backups, by the keys backup_... alone. */
const struct s3_conf *settings_backup(struct arena *, const struct settings *);

/*
 * Saves all values for another process of the same program, in a file without a name; its
 * descriptor is closed on exec.  -1: err, and *fd is -1.  The other function reads them back from it.
 */
int settings_save(const struct settings *, int *fd, struct err *) __attribute__((warn_unused_result));
int settings_restore(struct arena *, int fd, struct settings *, struct err *)
    __attribute__((warn_unused_result));

/* The file that the programs read when no -c is given. */
#define SETTINGS_DEFAULT_PATH SYSCONFDIR "/berth/berth.conf"

/* The prefix of the environment variables that set keys: BERTH_CONF_WORKERS sets `workers`. */
#define SETTINGS_VARIABLES "BERTH_CONF_"

#endif
