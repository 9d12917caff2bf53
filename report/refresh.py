"""Update report.ipynb with the run's results and this folder's document: Quarto's pre-render hook."""

from samizdat.publishing.quarto_hook import main

main()
