// Does a table of a family, of a stranger's directory, give complaints or a table?
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "io/config/complaints.hpp"
#include "io/model/architecture_reader.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

std::filesystem::path file_of_this_process() {
  return std::filesystem::temp_directory_path() / ("stemma-fuzz-" + std::to_string(getpid()) + ".yaml");
}
void remove_file() { std::filesystem::remove(file_of_this_process()); }

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stemma;
  static const std::filesystem::path file = [] {
    std::atexit(remove_file);
    return file_of_this_process();
  }();
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  Complaints complaints(file.string());
  fuzz::refuse_or([&] {
    const auto table = read_architecture(file, complaints);
    fuzz::require(table || !complaints.problems().empty(), "no table without a complaint");
  });
  return 0;
}
