# syntax=docker/dockerfile:1
# One image per service: docker build --build-arg SERVICE=orders -t reglament-orders .
# It holds shared/ and that one service, so that an import of another service cannot work in a container.

FROM python:3.11-slim AS packages
ARG SERVICE
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
# Before the code, so that a change of code leaves this layer in the cache.
COPY requirements.lock ./
COPY shared/pyproject.toml shared/
COPY services/${SERVICE}/pyproject.toml services/${SERVICE}/
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv /venv && \
    uv pip install --python /venv/bin/python --constraint requirements.lock \
        -r shared/pyproject.toml -r services/${SERVICE}/pyproject.toml

FROM python:3.11-slim AS runtime
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent reglament
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 REGLAMENT_LOG_FORMAT=json
WORKDIR /app
COPY --from=packages /venv /venv

# The SMS gateway's simulator, for the demo only: docker build --target simulator --build-arg SERVICE=notifier .
FROM runtime AS simulator
COPY simulators simulators
USER 10001
CMD ["python", "-m", "simulators.sms.gateways", "--host", "0.0.0.0"]

FROM runtime AS service
ARG SERVICE
ENV SERVICE=${SERVICE}
COPY shared shared
COPY services/__init__.py services/__main__.py services/serving.py services/
COPY services/${SERVICE} services/${SERVICE}
USER 10001
EXPOSE 8000
# `exec` makes the service process 1, so that it gets the stop signal itself and drains.
CMD ["sh", "-c", "exec python -m services serve \"$SERVICE\" --host 0.0.0.0 --port 8000"]
