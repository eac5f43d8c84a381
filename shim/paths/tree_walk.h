// Walking a tree of folders in which ours are.
#pragma once

#include <ftw.h>

namespace ossloop::shim {

// Is the folder /dev or a virtual one?
bool lists_ours(int dirfd, const char* path);
// Could a pattern match names in one of these?
bool may_lead_to_ours(const char* pattern);

// ftw() or nftw(), whichever function is given.
int walk_tree(const char* path, int flags, __ftw_func_t plain, __nftw_func_t full);

}  // namespace ossloop::shim
