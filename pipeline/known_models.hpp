// Which models do archives of earlier runs hold, to be compared with those of this one?
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "pipeline/question.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// Those models as references, with what their archives keep of them, sorted by id, which is ID@ARCHIVE:
/// names of archives are made as for `stemma merge`. Models that failed there are left out, and so is what a
/// method of another version found, or tensorguard with other parameters than `questions` give it: `notes`
/// get a line for each archive and method. Bases that they declare are those of their own archive. Archives
/// are read and judged like by `stemma verify`, and never written. Throws InvalidInput for what is no sound
/// archive.
std::vector<SurveyedModel> known_models(const std::vector<std::filesystem::path>& archives,
                                        std::span<const Question> questions, std::vector<std::string>& notes);

/// Adds them to the models of a run, both sorted by id. A declared base that is no model of the run, and that
/// one archive alone knows, is that one.
void add_known(std::vector<SurveyedModel>& models, std::span<const SurveyedModel> known);

}  // namespace stemma
