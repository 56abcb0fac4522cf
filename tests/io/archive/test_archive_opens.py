"""Does an archive open elsewhere: h5py and xarray, with a name on every dimension?

Reads the sample that io/archive/archive_round_trip_test leaves in the build directory.
"""
import os
import pathlib
import unittest
import warnings

import h5py
import numpy as np
import xarray as xr

SAMPLE = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", "build")) / "tests" / "archive_sample.h5"
WIDTHS = {"u1", "u2", "u4", "u8", "i1", "i4", "i8", "f4", "f8"}


@unittest.skipUnless(SAMPLE.exists(), f"{SAMPLE} is absent: run io/archive/archive_round_trip_test first")
class ArchiveOpens(unittest.TestCase):
    def setUp(self):
        self.file = h5py.File(SAMPLE, "r")
        self.addCleanup(self.file.close)

    def datasets(self):
        found = []
        self.file.visititems(lambda name, o: found.append((name, o)) if isinstance(o, h5py.Dataset) else None)
        return found

    def groups(self):
        found = [""]
        self.file.visititems(lambda name, o: found.append(name) if isinstance(o, h5py.Group) else None)
        return found

    def test_every_dimension_has_one_named_scale_of_its_length(self):
        columns = [(n, d) for n, d in self.datasets() if not h5py.h5ds.is_scale(d.id)]
        self.assertGreater(len(columns), 150)
        for name, column in columns:
            for axis, dimension in enumerate(column.dims):
                scales = dimension.values()
                self.assertEqual(len(scales), 1, f"{name} axis {axis}")
                self.assertEqual(scales[0].shape, (column.shape[axis],), name)

    def test_types_are_the_allowed_ones(self):
        for name, dataset in self.datasets():
            text = h5py.check_string_dtype(dataset.dtype)
            if text is not None:
                self.assertEqual((text.encoding, text.length), ("utf-8", None), name)
                self.assertLessEqual(dataset.ndim, 1, name)
            else:
                self.assertIn(dataset.dtype.str[1:], WIDTHS, name)
                self.assertIn(dataset.dtype.str[0], "<|", name)
            self.assertNotIn("_FillValue", dataset.attrs, name)
            self.assertIn("long_name", dataset.attrs, name)

    def test_xarray_opens_every_group(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error", category=UserWarning)
            for group in self.groups():
                with xr.open_dataset(SAMPLE, engine="h5netcdf", group=group or None) as data:
                    data.load()
                    for name, variable in data.variables.items():
                        for dimension in variable.dims:
                            self.assertFalse(dimension.startswith("phony"), f"{group}/{name}")

    def test_the_documented_way_to_one_curve(self):
        part = xr.open_dataset(SAMPLE, engine="h5netcdf")["part"]
        layers = xr.open_dataset(SAMPLE, group="layers", engine="h5netcdf").assign_coords(part=part)
        curve = layers["std"].sel(part="q").values
        np.testing.assert_array_equal(curve, [np.nan, 0.02, 0.021, np.nan, 0.02, 0.5])

    def test_quantiles_by_probability(self):
        moments = xr.open_dataset(SAMPLE, group="moments", engine="h5netcdf")
        self.assertEqual(moments["quantile"].dims, ("tensor", "probability"))
        self.assertEqual(float(moments["quantile"].sel(probability=0.5)[1]), 0.0)

    def test_hashes_stay_integers(self):
        tensors = xr.open_dataset(SAMPLE, group="tensors", engine="h5netcdf")
        for half in ("hi", "lo"):
            column = tensors[f"content_hash_{half}"]
            self.assertEqual(column.dtype, np.uint64)
            self.assertEqual(column.values[0], column.attrs["sentinel"])
            self.assertEqual(column.values[1], column.values[10])  # the shared embedding
        self.assertEqual(tensors["duplicate_of"].values[10], 1)

    def test_values_of_one_histogram(self):
        tensor = self.file["histograms/tensor_index"][:]
        start, count = self.file["histograms/row_start"][:], self.file["histograms/row_count"][:]
        roles = self.file["tensors/role"].asstr()[:]
        row = [i for i, t in enumerate(tensor) if roles[t] == "embed"][0]
        piece = slice(int(start[row]), int(start[row] + count[row]))
        np.testing.assert_array_equal(self.file["histograms/code"][piece], [5, 12, 19, 26, 33])
        np.testing.assert_array_equal(self.file["histograms/count"][piece], [51, 51, 51, 51, 52])

    def test_enumerations_explain_themselves(self):
        status = self.file["models/status"]
        meanings = dict(zip(status.attrs["flag_values"].tolist(), status.attrs["flag_meanings"].split()))
        self.assertEqual([meanings[int(v)] for v in status[:]], ["ok", "ok", "failed"])

    def test_root_attributes(self):
        self.assertEqual(self.file.attrs["Conventions"], "CF-1.8")
        self.assertEqual(self.file.attrs["stemma_archive"], "1.0.0")
        self.assertEqual(int(self.file.attrs["complete"]), 1)
        self.assertEqual(len(self.file.attrs["canonical_exact"]), 64)

    def test_further_curves_have_names(self):
        intrinsic = xr.open_dataset(SAMPLE, group="methods/intrinsic_fingerprint", engine="h5netcdf")
        np.testing.assert_array_equal(intrinsic["further"].sel(further_curve="gate").values,
                                      [np.nan, np.nan, np.nan, np.nan, np.nan, 4])


if __name__ == "__main__":
    unittest.main()
