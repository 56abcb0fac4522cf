// One process without a launcher never starts MPI.
#include "analyzers/distributed/world.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace stemma {
namespace {

std::optional<int> number_in(const char* name) {
  const char* text = std::getenv(name);
  if (!text) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  if (error != std::errc() || *end != '\0') return std::nullopt;
  return value;
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace

Launch launch_from_environment() {
  Launch launch;
  launch.cores = usable_cores();
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
    if (const auto rank = number_in(name)) {
      launch.launched = true;
      launch.rank = *rank;
      break;
    }
  }
  // SLURM_PROCID alone is set in batch scripts too; only a step of several tasks is a parallel launch.
  if (const auto tasks = number_in("SLURM_STEP_NUM_TASKS");
      tasks && *tasks > 1 && number_in("SLURM_PROCID")) {
    if (!launch.launched) launch.rank = *number_in("SLURM_PROCID");
    launch.launched = true;
    launch.tasks = *tasks;
    launch.promise = "SLURM_STEP_NUM_TASKS";
  }
  // Launchers of other MPI libraries (MPICH, Intel) set PMI_SIZE.
  for (const char* name : {"PMI_SIZE", "OMPI_COMM_WORLD_SIZE"}) {
    if (const auto tasks = number_in(name)) {
      launch.tasks = *tasks;
      launch.promise = name;
    }
  }
  return launch;
}

LonelyCopies::LonelyCopies(const Launch& launch)
    : std::runtime_error(fmt::format("this process is alone, but the step has {} tasks ({}; the launcher and "
                                     "the MPI library do not know "
                                     "each other). Use the mpirun of that library, or srun --mpi=pmix; srun "
                                     "--mpi=list shows what there is",
                                     launch.tasks, launch.promise)) {}

World::World(const Launch& launch) {
  if (!launch.launched) return;
  // Waiting ranks must not starve those that compute: Open MPI spins in blocking calls unless told otherwise.
  setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  int provided = 0;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  started_ = true;
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  // A duplicate, so that libraries and we never share tags.
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &duplicate_), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(duplicate_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  all_ = Communicator(duplicate_);
  if (all_.size() == 1 && launch.tasks > 1) throw LonelyCopies(launch);
}

World::~World() {
  if (!started_ || std::uncaught_exceptions() > 0) return;
  MPI_Comm_free(&duplicate_);
  MPI_Finalize();
}

std::string World::library() const {
  if (!started_) return "none";
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string whole(text, static_cast<std::size_t>(length));
  return whole.substr(0, whole.find(','));
}

}  // namespace stemma
