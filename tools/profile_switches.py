"""What each value of each option of the hybrid costs, beside SlowFast, TimeSformer and the controls.

    python tools/profile_switches.py
    python tools/profile_switches.py --size tiny -o switches.csv

Parameters and GMAC of one clip, and both over SlowFast's. Each row differs from the hybrid's default in the one option
it names; hybrid/model/options.py says what they mean. Paper size takes minutes.
"""

import argparse

from hybrid.errors import explained

with explained():
    from hybrid.files import check_output, typed_path

HEADINGS = {
    "setting": ("setting", "{}"),
    "parameters_M": ("params M", "{:.2f}"),
    "parameters_ratio": ("x SlowFast", "{:.3f}"),
    "gmac": ("GMAC", "{:.4g}"),
    "gmac_ratio": ("x SlowFast", "{:.3f}"),
    "uncounted": ("not counted", "{}"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="paper", choices=("paper", "tiny"))
    parser.add_argument("--frames", type=int, default=16, choices=(8, 16, 32))
    parser.add_argument("-o", "--output", type=typed_path, help="CSV file to write as well")
    options = parser.parse_args()
    if options.output:
        check_output(options.output, "gmac_ratio,uncounted")

    from tqdm import tqdm

    from hybrid.display.tables import as_terminal, formatted
    from hybrid.files import whole_file
    from hybrid.profiling.models import Setting, cost_of_options, option_settings

    crop = 224 if options.size == "paper" else 64
    with tqdm(total=len(option_settings()), unit="setting", disable=None, leave=False) as bar:

        def starts(name: str) -> None:
            bar.set_description_str(name)
            bar.update()

        table = cost_of_options(Setting(options.size, options.frames, crop), starts)
    print(f"{options.size} size, {options.frames} frames of {crop} px, 5 grades\n")
    print(as_terminal(formatted(table, HEADINGS)))
    if options.output:
        with whole_file(options.output) as temporary:
            table.to_csv(temporary, index=False)


if __name__ == "__main__":
    with explained():
        main()
