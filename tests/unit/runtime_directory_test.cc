#include "shm/runtime_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"

using namespace ossloop;
using base::Fd;
using shm::RuntimeDirectory;
namespace fs = std::filesystem;

namespace {

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
  std::string root;

 private:
  mode_t umask_;
};

// What the folder says to who wants to use it, and to who only looks.
int make(const std::string& path, mode_t file_mode = 0600) {
  std::string why;
  return RuntimeDirectory(path, file_mode).make(why);
}
int check(const std::string& path, mode_t file_mode = 0600) {
  std::string why;
  return RuntimeDirectory(path, file_mode).check(why);
}

struct stat status_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

// Two users and a group that only one of them is in, whom nobody else here is.
constexpr uid_t kUser = 61001, kStranger = 61002;
constexpr gid_t kTheirs = 61100;

// What `work` returns in a process of that user, whose only groups are these. It may not
// test anything itself.
int as_user(uid_t user, gid_t group, const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool changed = ::setgroups(1, &group) == 0 && ::setresgid(group, group, group) == 0 &&
                         ::setresuid(user, user, user) == 0;
    ::_exit(changed ? -work() : 255);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) != 255);
  return -WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("the runtime folder is made for its owner only") {
  Place place;
  CHECK(make(place.path()) == 0);
  CHECK(place.mode() == 0700);
  CHECK(make(place.path()) == 0);
  CHECK(check(place.path()) == 0);
}

TEST_CASE("a shared runtime folder is made for the group too, whatever the umask") {
  Place place;
  ::umask(077);
  CHECK(make(place.path(), 0660) == 0);
  CHECK(place.mode() == 0770);
}

TEST_CASE("a umask that forbids everything leaves a folder that its owner can use") {
  Place place;
  REQUIRE(::chmod(place.root.c_str(), 0777) == 0);
  for (const mode_t file_mode : {0600, 0660}) {
    const std::string path = place.path();
    const int result = as_user(kUser, kTheirs, [&] {
      ::umask(0777);
      const RuntimeDirectory directory(path, file_mode);
      if (int error = directory.make(); error != 0) return error;
      if (Fd file(directory.make_file("loop0")); !file) return file.get();
      if (int error = directory.make_fifo("pcm0"); error != 0) return error;
      if (int error = directory.make_folder("oss"); error != 0) return error;
      if (Fd file(directory.open("loop0", O_RDWR)); !file) return file.get();
      Fd fifo(directory.open("pcm0", O_RDWR | O_NONBLOCK));
      return std::min(fifo.get(), 0);
    });
    CHECK(result == 0);
    CHECK(place.mode() == (file_mode == 0660 ? 0770 : 0700));
    CHECK((status_of(path + "/loop0").st_mode & 07777) == file_mode);
    CHECK((status_of(path + "/pcm0").st_mode & 07777) == file_mode);
    CHECK((status_of(path + "/oss").st_mode & 07777) == 0755);
    fs::remove_all(path);
  }
}

TEST_CASE("a folder whose maker was killed before it had its mode is mended") {
  Place place;
  REQUIRE(::chmod(place.root.c_str(), 0777) == 0);
  const std::string path = place.path();
  const int result = as_user(kUser, kTheirs, [&] {
    if (::mkdir(path.c_str(), 0) != 0) return -errno;
    return RuntimeDirectory(path).make();
  });
  CHECK(result == 0);
  CHECK(place.mode() == 0700);
}

TEST_CASE("a folder that is there keeps its mode") {
  Place place;
  place.folder(0750);
  CHECK(make(place.path(), 0660) == 0);
  CHECK(place.mode() == 0750);
}

TEST_CASE("looking makes nothing") {
  Place place;
  CHECK(check(place.path()) == -ENOENT);
  const RuntimeDirectory directory(place.path());
  struct stat status {};
  CHECK(directory.open("loop0", O_RDWR) == -ENOENT);
  CHECK(directory.stat("loop0", status) == -ENOENT);
  CHECK(directory.glance("loop0", status) == -ENOENT);
  CHECK_FALSE(fs::exists(place.path()));
}

TEST_CASE("no link is followed to a runtime folder") {
  Place place;
  REQUIRE(::mkdir(place.path("real").c_str(), 0700) == 0);
  std::ofstream(place.path("real") + "/loop0") << "text";
  fs::create_directory_symlink(place.path("real"), place.path());
  CHECK(make(place.path()) == -EACCES);
  CHECK(check(place.path()) == -EACCES);
  CHECK(RuntimeDirectory(place.path()).open("loop0", O_RDWR) == -EACCES);
  struct stat status {};
  CHECK(RuntimeDirectory(place.path()).glance("loop0", status) == -EACCES);
  fs::remove(place.path());
  fs::create_directory_symlink(place.path("nowhere"), place.path());
  CHECK(make(place.path()) == -EACCES);
  CHECK_FALSE(fs::exists(place.path("nowhere")));
}

TEST_CASE("no link is followed in a runtime folder") {
  Place place;
  const RuntimeDirectory directory(place.path());
  REQUIRE(directory.make() == 0);
  std::ofstream(place.root + "/target") << "text";
  for (const char* name : {"loop0", "pcm0", "oss"}) {
    fs::create_symlink("../target", place.path() + "/" + name);
  }
  struct stat status {};
  CHECK(directory.open("loop0", O_RDWR) == -ELOOP);
  CHECK(directory.make_file("loop0") == -EEXIST);
  CHECK(directory.make_fifo("pcm0") == -EEXIST);
  CHECK(directory.make_folder("oss") == -ENOTDIR);
  CHECK(directory.stat("loop0", status) == 0);
  CHECK(S_ISLNK(status.st_mode));
}

TEST_CASE("a file is no runtime folder") {
  Place place;
  std::ofstream(place.path()) << "text";
  CHECK(make(place.path()) == -EACCES);
}

TEST_CASE("a folder that everybody may write is refused") {
  Place place;
  for (const mode_t mode : {0777, 0707, 01777, 0702}) {
    place.folder(mode);
    CHECK(make(place.path()) == -EACCES);
    CHECK(make(place.path(), 0660) == -EACCES);
    fs::remove(place.path());
  }
}

TEST_CASE("nothing of a folder that belongs to another user is reached") {
  Place place;
  place.folder(0777);
  for (const char* name : {"loop0", "mix0"}) std::ofstream(place.path() + "/" + name) << "text";
  for (const char* name : {"loop0", "mix0", ""}) {
    REQUIRE(::chown((place.path() + "/" + name).c_str(), kStranger, kTheirs) == 0);
  }
  REQUIRE(::chmod(place.path().c_str(), 0775) == 0);
  const std::string path = place.path();
  for (const mode_t file_mode : {0600, 0660}) {
    const RuntimeDirectory directory(path, file_mode);
    struct stat status {};
    CHECK(directory.make() == -EACCES);
    CHECK(check(path, file_mode) == -EACCES);
    CHECK(directory.open("loop0", O_RDWR) == -EACCES);
    CHECK(directory.stat("loop0", status) == -EACCES);
    CHECK(directory.glance("loop0", status) == -EACCES);
    CHECK(directory.make_file("loop1") == -EACCES);
    CHECK(directory.make_fifo("pcm0") == -EACCES);
    CHECK(directory.make_folder("oss") == -EACCES);
    CHECK(directory.link("loop0", "loop1") == -EACCES);
    CHECK(directory.remove("loop0") == -EACCES);
    // Nor by a user in the folder's group: its owner is no more trusted for that.
    CHECK(as_user(kUser, kTheirs, [&] {
            return RuntimeDirectory(path, file_mode).open("loop0", O_RDWR);
          }) == -EACCES);
  }
  CHECK(std::distance(fs::directory_iterator(path), fs::directory_iterator()) == 2);
}

TEST_CASE("a shared folder is root's, and of a group that the user is in") {
  Place place;
  REQUIRE(::chmod(place.root.c_str(), 0755) == 0);
  place.folder(0770);
  REQUIRE(::chown(place.path().c_str(), 0, kTheirs) == 0);
  const std::string path = place.path();
  const auto opened = [&](gid_t group, mode_t file_mode) {
    return as_user(kUser, group, [&] { return RuntimeDirectory(path, file_mode).make(); });
  };
  CHECK(opened(kTheirs, 0660) == 0);
  CHECK(opened(kTheirs, 0600) == -EACCES);
  CHECK(opened(kTheirs + 1, 0660) == -EACCES);
  CHECK(make(path, 0660) == 0);  // by root
}

TEST_CASE("what is made in a shared folder is the group's, whatever its maker's umask") {
  Place place;
  REQUIRE(::chmod(place.root.c_str(), 0755) == 0);
  place.folder(0770);
  REQUIRE(::chown(place.path().c_str(), 0, kTheirs) == 0);
  const std::string path = place.path();
  // Two users: one whose own group is another, one with no other.
  const auto with_extra_group = [&](const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      const gid_t group = kTheirs;
      const bool changed = ::setgroups(1, &group) == 0 && ::setresgid(kUser, kUser, kUser) == 0 &&
                           ::setresuid(kUser, kUser, kUser) == 0;
      ::_exit(changed ? -work() : 255);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return -WEXITSTATUS(status);
  };
  for (const mode_t mask : {022, 077, 0777}) {
    INFO("umask " << std::oct << mask);
    REQUIRE(with_extra_group([&] {
              ::umask(mask);
              const RuntimeDirectory directory(path, 0660);
              Fd file(directory.make_file("loop0"));
              return file ? directory.make_fifo("pcm0") : file.get();
            }) == 0);
    for (const char* name : {"/loop0", "/pcm0"}) {
      CHECK(status_of(path + name).st_gid == kTheirs);
      CHECK((status_of(path + name).st_mode & 07777) == 0660);
    }
    CHECK(as_user(kStranger, kTheirs, [&] {
            const RuntimeDirectory directory(path, 0660);
            Fd file(directory.open("loop0", O_RDWR));
            Fd fifo(directory.open("pcm0", O_RDWR | O_NONBLOCK));
            return std::min({file.get(), fifo.get(), 0});
          }) == 0);
    for (const char* name : {"/loop0", "/pcm0"}) fs::remove(path + name);
  }
}

TEST_CASE("what the system says of a folder comes back") {
  Place place;
  CHECK(make(place.path("missing/folder")) == -ENOENT);
  base::Sys table = base::kernel_sys();
  table.mkdirat = [](int, const char*, mode_t) { return -EROFS; };
  base::set_sys(table);
  CHECK(make(place.path()) == -EROFS);
  base::set_sys(base::kernel_sys());
  place.folder(0700);
  table = base::kernel_sys();
  table.fstat = [](int, struct stat*) { return -EIO; };
  base::set_sys(table);
  CHECK(make(place.path()) == -EIO);
}

TEST_CASE("whoever asks is told why a folder is refused, and what helps") {
  Place place;
  const auto reason = [&](bool create) {
    std::string why;
    const RuntimeDirectory directory(place.path());
    create ? directory.make(why) : directory.check(why);
    return why;
  };
  const std::string remedy =
      "; set OSSLOOP_DIR (or, for the default, XDG_RUNTIME_DIR) to a folder of your own";
  CHECK(reason(false).empty());
  CHECK(reason(true).empty());
  REQUIRE(::chmod(place.path().c_str(), 0777) == 0);
  CHECK(reason(true) == "runtime folder " + place.path() + ": everybody may write there" + remedy);
  REQUIRE(::chown(place.path().c_str(), kStranger, kTheirs) == 0);
  CHECK(reason(false) == "runtime folder " + place.path() + ": belongs to another user" + remedy);
  fs::remove(place.path());
  std::ofstream(place.path()) << "text";
  CHECK_THAT(reason(false), Catch::Contains("is a link or not a folder"));
}

TEST_CASE("a refused folder is told in one line, however often it is asked for") {
  Place place;
  place.folder(0700);
  REQUIRE(::chown(place.path().c_str(), kStranger, kTheirs) == 0);
  const std::string file = place.root + "/log";
  REQUIRE(base::start_log(("error:" + file).c_str()));
  const RuntimeDirectory directory(place.path());
  struct stat status {};
  for (int round = 0; round < 3; ++round) {
    CHECK(directory.make() == -EACCES);
    CHECK(directory.open("loop0", O_RDWR) == -EACCES);
    CHECK(directory.stat("loop0", status) == -EACCES);
  }
  base::start_log("off:");
  std::ifstream lines(file);
  CHECK(std::count(std::istreambuf_iterator<char>(lines), {}, '\n') == 1);
}
