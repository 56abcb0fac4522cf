// Which verbs are there?
#include "pipeline/commands/command.hpp"

namespace stemma {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(run_command());
  commands.push_back(plan_command());
  commands.push_back(fingerprint_command());
  commands.push_back(compare_command());
  commands.push_back(trace_command());
  commands.push_back(report_command());
  commands.push_back(inspect_command());
  commands.push_back(verify_command());
  commands.push_back(merge_command());
  commands.push_back(schema_command());
  commands.push_back(doctor_command());
  return commands;
}

}  // namespace stemma
