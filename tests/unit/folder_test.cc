#include "shm/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "base/sys.h"

using namespace ossloop;
using shm::prepare_folder;
namespace fs = std::filesystem;

namespace {

// What the fake system says of every folder's owner and mode.
struct stat fake_status;

// A place to make folders in, and the real system again at the end.
class Place {
 public:
  Place() : umask_(::umask(022)) {
    base::start_log("off");
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    root = name;
  }
  ~Place() {
    base::set_sys(base::kernel_sys());
    fs::remove_all(root);
    ::umask(umask_);
    base::start_log("error");
  }

  std::string path(const char* name = "folder") const { return root + "/" + name; }
  std::string folder(mode_t mode) const {
    REQUIRE(::mkdir(path().c_str(), 0700) == 0);
    REQUIRE(::chmod(path().c_str(), mode) == 0);
    return path();
  }
  mode_t mode() const {
    struct stat status {};
    REQUIRE(::stat(path().c_str(), &status) == 0);
    return status.st_mode & 07777;
  }
  // Everything there belongs to `owner` from here on.
  void give_to(uid_t owner, mode_t mode) const {
    fake_status = {};
    fake_status.st_uid = owner;
    fake_status.st_mode = S_IFDIR | mode;
    base::Sys table = base::kernel_sys();
    table.fstat = [](int, struct stat* status) {
      *status = fake_status;
      return 0;
    };
    base::set_sys(table);
  }

  std::string root;

 private:
  mode_t umask_;
};

}  // namespace

TEST_CASE("the runtime folder is made for its owner only") {
  Place place;
  CHECK(prepare_folder(place.path(), 0600, true) == 0);
  CHECK(place.mode() == 0700);
  CHECK(prepare_folder(place.path(), 0600, true) == 0);
  CHECK(prepare_folder(place.path(), 0600, false) == 0);
}

TEST_CASE("a shared runtime folder is made for the group too, whatever the umask") {
  Place place;
  ::umask(077);
  CHECK(prepare_folder(place.path(), 0660, true) == 0);
  CHECK(place.mode() == 0770);
}

TEST_CASE("a folder that is there keeps its mode") {
  Place place;
  place.folder(0750);
  CHECK(prepare_folder(place.path(), 0660, true) == 0);
  CHECK(place.mode() == 0750);
}

TEST_CASE("looking makes nothing") {
  Place place;
  CHECK(prepare_folder(place.path(), 0600, false) == -ENOENT);
  CHECK_FALSE(fs::exists(place.path()));
}

TEST_CASE("no link is followed to a runtime folder") {
  Place place;
  REQUIRE(::mkdir(place.path("real").c_str(), 0700) == 0);
  fs::create_directory_symlink(place.path("real"), place.path());
  CHECK(prepare_folder(place.path(), 0600, true) == -EACCES);
  CHECK(prepare_folder(place.path(), 0600, false) == -EACCES);
  fs::remove(place.path());
  fs::create_directory_symlink(place.path("nowhere"), place.path());
  CHECK(prepare_folder(place.path(), 0600, true) == -EACCES);
  CHECK_FALSE(fs::exists(place.path("nowhere")));
}

TEST_CASE("a file is no runtime folder") {
  Place place;
  std::ofstream(place.path()) << "text";
  CHECK(prepare_folder(place.path(), 0600, true) == -EACCES);
}

TEST_CASE("a folder that everybody may write is refused") {
  Place place;
  for (const mode_t mode : {0777, 0707, 01777, 0702}) {
    place.folder(mode);
    CHECK(prepare_folder(place.path(), 0600, true) == -EACCES);
    CHECK(prepare_folder(place.path(), 0660, true) == -EACCES);
    fs::remove(place.path());
  }
}

TEST_CASE("a folder of another user is refused") {
  Place place;
  place.folder(0700);
  place.give_to(::geteuid() + 1, 0700);
  CHECK(prepare_folder(place.path(), 0600, true) == -EACCES);
  CHECK(prepare_folder(place.path(), 0660, true) == -EACCES);
  place.give_to(::geteuid() + 1, 0770);
  CHECK(prepare_folder(place.path(), 0600, true) == -EACCES);
}

TEST_CASE("a shared folder may be the group's") {
  Place place;
  place.folder(0770);
  place.give_to(::geteuid() + 1, 0770);
  CHECK(prepare_folder(place.path(), 0660, true) == 0);
  place.give_to(::geteuid() + 1, 0772);
  CHECK(prepare_folder(place.path(), 0660, true) == -EACCES);
}

TEST_CASE("what the system says of a folder comes back") {
  Place place;
  CHECK(prepare_folder(place.path("missing/folder"), 0600, true) == -ENOENT);
  base::Sys table = base::kernel_sys();
  table.mkdir = [](const char*, mode_t) { return -EROFS; };
  base::set_sys(table);
  CHECK(prepare_folder(place.path(), 0600, true) == -EROFS);
  table = base::kernel_sys();
  table.fstat = [](int, struct stat*) { return -EIO; };
  base::set_sys(table);
  CHECK(prepare_folder(place.path(), 0600, true) == -EIO);
}

TEST_CASE("whoever asks is told why a folder is refused") {
  Place place;
  const auto reason = [&](bool create) {
    std::string why;
    prepare_folder(place.path(), 0600, create, why);
    return why;
  };
  CHECK(reason(false).empty());
  CHECK(reason(true).empty());
  REQUIRE(::chmod(place.path().c_str(), 0777) == 0);
  CHECK(reason(true) == "runtime folder " + place.path() +
                            ": everybody may write there; set OSSLOOP_DIR to a folder of your own");
  fs::remove(place.path());
  std::ofstream(place.path()) << "text";
  CHECK_THAT(reason(false), Catch::Contains("is a link or not a folder"));
}
