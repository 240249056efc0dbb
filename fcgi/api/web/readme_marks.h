#ifndef API_WEB_README_MARKS_H
#define API_WEB_README_MARKS_H

/*
 * Marks that GitHub shows in another way than they are written: "[x]" of a list is a box, "[!NOTE]" of a
 * quotation is its title, and each footnote begins a line.  cmark's own footnotes are not used: they bring
 * ids of their own, and its older versions have faults there.
 */

struct cmark_node;

void readme_marks_show(struct cmark_node *document);

#endif
