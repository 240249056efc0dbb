#ifndef API_GITLAB_NAMESPACE_SETTINGS_H
#define API_GITLAB_NAMESPACE_SETTINGS_H

/*
 * The settings of a project or group that its owner may change; an administrator changes all others by
 * berth(1).
 */

#include "call/call.h"

extern const struct route_policy namespace_settings_project_policy;
extern const struct route_policy namespace_settings_group_policy;

/* 200 with the project or group, as namespaces_project() and namespaces_group(); 400. */
int namespace_settings_change_project(struct call *, struct request *, struct response *);
int namespace_settings_change_group(struct call *, struct request *, struct response *);

#endif
