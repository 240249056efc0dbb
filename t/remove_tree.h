#ifndef T_REMOVE_TREE_H
#define T_REMOVE_TREE_H

/* What a test has made in a directory of its own goes, and the directory with it. */

#include <ftw.h>
#include <stdio.h>

enum { REMOVE_TREE_FDS = 16 }; /* directories that are open at once */

static inline int
remove_tree_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
remove_tree(const char *path)
{
	(void)nftw(path, remove_tree_entry, REMOVE_TREE_FDS, FTW_DEPTH | FTW_PHYS);
}

#endif
