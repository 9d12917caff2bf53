"""Quarto's pre-render hook: report.ipynb as the run's results and this folder's document make it."""

from samizdat.publishing.quarto_hook import main

main()
