"""The closed forms that the lessons' scripts compute by themselves (assets/learn/math.js), next to NumPy and SciPy."""

import numpy as np
import pytest
from in_chromium import browser, new_page, pytestmark  # noqa: F401
from lesson_page import PROJECT
from scipy.stats import norm

from wtflow.flow import exact
from wtflow.lessons import groups


@pytest.fixture(scope="module")
def called(browser):  # noqa: F811
    """Calls a function of math.js for each list of arguments."""
    page = new_page(browser)
    script = (PROJECT / "assets" / "learn" / "math.js").read_text(encoding="utf-8")

    def call(name: str, rows: list) -> np.ndarray:
        return np.array(
            page.evaluate(
                "([script, name, rows]) => { const f = new Function(`${script}; return ${name};`)();"
                " return rows.map((row) => { const out = f(...row); return out.length ? Array.from(out) : [out]; }); }",
                [script, name, rows],
            )
        )

    yield call
    page.close()


def test_the_normal_law_is_scipys_also_far_out(called):
    x = np.linspace(-9, 9, 577)
    np.testing.assert_allclose(called("normalCdf", [[value] for value in x])[:, 0], norm.cdf(x), atol=1e-9)
    far = np.linspace(-4, 36, 81)
    np.testing.assert_allclose(called("normalTail", [[value] for value in far])[:, 0], norm.sf(far), rtol=1e-9)


def test_field_and_flow_of_a_gaussian_are_pythons(called):
    rows = [[x, t, 0.5, s, rho] for x in (-2, 0.3) for t in (0, 0.4, 1) for s in (0.2, 1) for rho in (-0.9, 0, 1)]
    field = [float(exact.gaussian_velocity(*row)) for row in rows]
    flow = [float(exact.gaussian_flow_map(*row)) for row in rows]
    np.testing.assert_allclose(called("gaussVelocity", rows)[:, 0], field, atol=1e-12)
    np.testing.assert_allclose(called("gaussFlow", rows)[:, 0], flow, atol=1e-12)


def test_the_field_of_finite_data_is_pythons(called):
    atoms = np.array([[1.0, 0.5], [-1.0, 0.2], [0.3, -1.4]])
    rows = [[x, y, t, atoms.ravel().tolist()] for x, y in ((0.1, 0.2), (-2.0, 1.0)) for t in (0, 0.05, 0.6, 1)]
    field = [exact.finite_velocity([[x, y]], t, atoms)[0] for x, y, t, _ in rows]
    np.testing.assert_allclose(called("finiteVelocity", rows), field, atol=1e-10)


def test_one_gaussian_and_two_groups_on_a_line_are_pythons(called):
    for means in groups.MEANS:
        x, t, s = np.array([-2.5, -0.3, 1.2]), 0.3, 0.4
        found = called("mixtureAt", [[value, t, means.tolist(), s] for value in x])
        pythons = [of(x, t, means, s) for of in (groups.density, groups.slope, groups.velocity)]
        np.testing.assert_allclose(found, np.stack(pythons, axis=1), rtol=1e-9)
        far = np.array([-12.0, -2.0, 0.1, 3.0, 14.0])
        ends = called("mixtureEnd", [[value, means.tolist(), s] for value in far])[:, 0]
        np.testing.assert_allclose(ends, groups.end(far, means, s), rtol=1e-9)
