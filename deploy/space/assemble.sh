#!/bin/sh
# Puts what a Space needs, as it was committed last, into a new folder:
#   sh deploy/space/assemble.sh FOLDER
#   hf upload OWNER/NAME FOLDER . --repo-type space
set -eu
[ $# -eq 1 ] || { echo "Name the folder: sh deploy/space/assemble.sh FOLDER" >&2; exit 2; }
mkdir -p "$1"
[ -z "$(ls -A "$1")" ] || { echo "$1 is not empty; name a new folder." >&2; exit 2; }
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
git archive HEAD .dockerignore .streamlit Dockerfile LICENSE NOTICE app.py assets \
    deploy/constraints.txt pages quantlib requirements.txt | tar -x -C "$folder"
git show HEAD:deploy/space/README.md >"$folder/README.md"
