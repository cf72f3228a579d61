# The app for the CPU. Build and run:
#
#   docker build -t wtflow-studio .
#   docker run --rm -it -v wtflow-runs:/data wtflow-studio wtflow password
#   docker run --rm -p 127.0.0.1:8501:8501 -v wtflow-runs:/data -v /path/to/images:/images:ro wtflow-studio
#
# Inside the container the app listens on all addresses, or nobody outside could reach it. So it asks for a password,
# or starts with `wtflow-studio --no-browser --no-auth`: then publish its port on loopback, as above.
#
# This image has not been built: where it was written there was no Docker, and PyTorch's index could not be reached.
# Tried there without them, on Python 3.11: `pip install '.[app]'` of a folder with just what is copied here, into an
# environment that had a CPU build of torch (pip kept it); the command with this environment, as a user without rights
# (the health check answers, and SIGTERM ends it). Not tried: Docker's own part, Python 3.12, and the CPU builds of torch
# and torchvision together; both must come from one index, or timm cannot be imported.
FROM python:3.12-slim

# PyTorch without what GPUs need. Pip keeps it in the next step.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch torchvision

WORKDIR /src
COPY pyproject.toml README.md app.py ./
COPY .streamlit .streamlit
COPY assets assets
COPY pages pages
COPY wtflow wtflow
RUN pip install --no-cache-dir '.[app]' && rm -rf /src

RUN useradd --create-home --uid 1000 wtflow && mkdir /data && chown wtflow /data
USER wtflow
WORKDIR /home/wtflow
# The second address is only printed: with it, Streamlit asks no server outside for the container's own.
ENV WTFLOW_HOME=/data STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_BROWSER_SERVER_ADDRESS=localhost
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
CMD ["wtflow-studio", "--port", "8501", "--no-browser"]
