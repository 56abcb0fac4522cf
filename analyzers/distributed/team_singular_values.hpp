// What are all singular values of a matrix that several ranks decompose together?
#pragma once
#include <exception>
#include <optional>
#include <span>

#include "analyzers/distributed/team_gram.hpp"
#include "analyzers/numerics/singular_values.hpp"

namespace stemma {

/// What a team does beside the Gram path, and how.
struct TeamRequest {
  bool crosscheck = false;               ///< keep the matrix in doubles, dealt out, and compare with pdgesvd
  std::optional<SpectrumMethod> solver;  ///< otherwise team_method_for
};

/// SingularValues for a team: the same Gram matrix in the same order of summation, dealt out in blocks, with
/// the same witness and checks. All ranks see all rows, in memory that their node shares. Tall matrices of up
/// to 32 bits are streamed; wide ones and those of 64 bits are kept once per node, in their stored type.
class TeamSingularValues {
 public:
  /// Collective. Throws together when memory is short on any rank.
  TeamSingularValues(const MatrixForm& form, Team& team, const TeamRequest& request = {});

  /// The next whole rows, as stored; the same on every rank. No communication; what goes wrong comes out of
  /// finish.
  void take(std::span<const std::byte> rows);

  /// Collective, after all rows. The same answer on every rank; nothing when an element is not finite. Throws
  /// together: InvalidInput with rule spectrum.invariant when a check fails or the solver gives up (nobody
  /// repeats what needs a team), spectrum.disagreement when pdgesvd differs by more than both bounds.
  std::optional<Spectrum> finish();

 private:
  /// This rank's part of `count` things that `ranks` share.
  struct Share {
    std::uint64_t begin = 0, end = 0;
  };
  static Share share_of(std::uint64_t count, const Communicator& ranks);
  void take_rows(std::uint64_t first, std::span<const std::byte> rows);
  void fill_dense(std::uint64_t first, std::span<const std::byte> rows);
  std::span<const std::byte> kept_rows(Share rows) const;
  MatrixFacts witnessed();
  DealtMatrix gram();
  void polish(Spectrum& spectrum, DealtMatrix lower);
  void check_by_pdgesvd(Spectrum& spectrum);

  MatrixForm form_;
  Team& team_;
  TeamRequest request_;
  bool kept_;  ///< whole in shared memory
  std::uint64_t next_row_ = 0;
  std::optional<TeamGram> gram_;
  std::optional<MatrixWitness> witness_;
  std::optional<DealtMatrix> dense_;
  SharedMemory* matrix_ = nullptr;
  std::exception_ptr failure_;
};

}  // namespace stemma
