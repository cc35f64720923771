# Bitlens on a CPU, with its bundled networks inside; docs/operations.md says how to run it.
ARG PYTHON=3.11.14
FROM python:${PYTHON}-slim-bookworm

# PyTorch's own builds without CUDA: a tenth of the size.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# Workers of a cluster need Dask: --build-arg CLUSTER='distributed>=2026.8,<2027'.
ARG CLUSTER=

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    BITLENS_CACHE=/cache

RUN useradd --uid 1000 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin bitlens \
    && install -d -o bitlens -g bitlens /cache

WORKDIR /srv/bitlens

# A pair that does not fit ends the build here, not a visit later.
COPY requirements.txt deploy/constraints.txt ./
RUN pip install --no-deps --index-url "$TORCH_INDEX" -c constraints.txt \
        $(grep -E '^torch(vision)?[<>=~]' requirements.txt) \
    && pip install -r requirements.txt $CLUSTER -c constraints.txt \
    && pip check \
    && python -c "import torchvision"

COPY LICENSE NOTICE app.py ./
COPY .streamlit .streamlit
COPY assets assets
COPY quantlib quantlib
COPY pages pages
RUN python -m compileall -q app.py pages quantlib

USER 1000
VOLUME /cache
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8501/health', timeout=8)"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501"]
