#!/usr/bin/env bash
# Prepares a JupyterLab or VS Code service of SSP Cloud: fetches the course, installs it, opens a notebook.
# SSP Cloud runs it when the service starts, with the arguments of the launch link:
#   sspcloud.sh ADDRESS-OF-THE-REPOSITORY NOTEBOOK
set -euo pipefail

repository=$1
notebook=$2
work=${WORKSPACE_DIR:-$HOME/work}
name=$(basename "$repository" .git)
course=$work/$name

mkdir -p "$work"
if [ -d "$course/.git" ]; then
  # a service that is started again keeps what was written in it
  git -C "$course" pull --ff-only || echo "The course has local changes; it stays as it is."
else
  git clone "$repository" "$course"
fi

command -v uv >/dev/null || pip install --quiet uv
(cd "$course" && uv sync --no-default-groups)

# The notebooks ask for the kernel python3. A kernel of that name in the user's folder goes before the service's own.
"$course/.venv/bin/python" -m ipykernel install --user --name python3 --display-name "Python 3 (ipykernel)"

# JupyterLab opens the notebook
mkdir -p "$HOME/.jupyter/labconfig"
cp -n "$course/src/funathon/course/lab/labconfig/"*.json "$HOME/.jupyter/labconfig/"
cat >>"$HOME/.jupyter/jupyter_server_config.py" <<CONFIG
c.ServerApp.root_dir = "$work"
c.LabApp.default_url = "/lab/tree/$name/$notebook"
CONFIG

# VS Code opens the folder above the course, and takes the course's Python
mkdir -p "$work/.vscode"
if [ ! -e "$work/.vscode/settings.json" ]; then
  echo "{\"python.defaultInterpreterPath\": \"$course/.venv/bin/python\"}" >"$work/.vscode/settings.json"
fi

# the service runs as the user onyxia, this script perhaps as root
if [ "$(id -u)" = 0 ] && id onyxia >/dev/null 2>&1; then
  chown -R onyxia:users "$course" "$work/.vscode" "$HOME/.jupyter" "$HOME/.local"
fi
