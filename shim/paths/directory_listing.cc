#include "shim/paths/directory_listing.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/owned_records.h"
#include "shim/paths/path_lookup.h"

namespace ossloop::shim {
namespace {

// One thread at a time reads a DIR.
struct ListingData {
  Folder folder = Folder::kNone;
  bool ours = false;  // libc's entries are over
  long position = 0;
  dirent entry;
};
constinit OwnedRecords<DIR, ListingData> listings;
using Listing = decltype(listings)::Record;

// libc's own places are not negative.
constexpr long kFirstPlace = LONG_MIN;

}  // namespace

bool add_listing(DIR* dir, Folder folder) {
  if (load_engine() == nullptr) return true;
  Listing* listing = listings.take();
  if (listing == nullptr) return false;
  listing->folder = folder;
  listing->ours = false;
  listing->position = 0;
  listing->owner.store(dir);
  return true;
}

Folder listed_folder(DIR* dir) {
  const Listing* listing = listings.find(dir);
  return listing != nullptr ? listing->folder : Folder::kNone;
}

void forget_listing(DIR* dir) {
  if (Listing* listing = listings.find(dir); listing != nullptr) listings.give_back(listing);
}

dirent* next_listed(DIR* dir) {
  Listing* listing = listings.find(dir);
  if (listing == nullptr) return nullptr;
  listing->ours = true;
  FolderEntry found;
  if (!next_entry(listing->folder, listing->position, found)) return nullptr;
  PathLookup place;
  place.name = found.name;
  struct stat status;
  if (describe(*loaded_engine(), place, status) != 0) status.st_ino = 1;
  dirent& entry = listing->entry;
  entry.d_ino = status.st_ino;
  entry.d_off = kFirstPlace + listing->position;
  entry.d_type = found.name.kind == config::DeviceKind::kDirectory ? DT_DIR : DT_CHR;
  ::strcpy(entry.d_name, found.text);
  entry.d_reclen = static_cast<unsigned short>(offsetof(dirent, d_name) + ::strlen(found.text) + 1);
  return &entry;
}

void rewind_listing(DIR* dir) {
  Listing* listing = listings.find(dir);
  if (listing == nullptr) return;
  listing->ours = false;
  listing->position = 0;
}

bool at_injected_entries(DIR* dir) {
  const Listing* listing = listings.find(dir);
  return listing != nullptr && listing->ours;
}

long tell_listing(DIR* dir) {
  const Listing* listing = listings.find(dir);
  return listing != nullptr && listing->ours ? kFirstPlace + listing->position : -1;
}

bool seek_listing(DIR* dir, long place) {
  Listing* listing = listings.find(dir);
  if (listing == nullptr) return false;
  listing->ours = place < 0;
  listing->position = place < 0 ? place - kFirstPlace : 0;
  return listing->ours;
}

}  // namespace ossloop::shim
