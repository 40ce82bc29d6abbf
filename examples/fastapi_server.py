"""A web server in which each request is a session of its own, however many run at once.

    python examples/fastapi_server.py            # answers two requests at once, then stops
    uvicorn --app-dir examples fastapi_server:app   # serves

With OPENAI_API_KEY set the model is OpenAI's; without, it is a stand-in on this machine (model_standin.py).
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import httpx
import openai
from fastapi import FastAPI

import agentops
from agentops.sdk.decorators import operation
from model_standin import StandIn

app = FastAPI()


@operation
async def answer(question: str) -> str:
    """Ask the model. The call belongs to the session of the request that it is made in."""
    async with openai.AsyncOpenAI() as client:
        response = await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": question}]
        )
    return response.choices[0].message.content or ""


@app.get("/completion")
async def completion(question: str) -> dict[str, str]:
    """Answer one question, in a session of its own."""
    with agentops.start_session(tags=["fastapi"], name=f"GET /completion {question}") as session:
        return {"session": str(session.session_id), "answer": await answer(question)}


async def two_requests() -> None:
    """Ask the server two questions at once."""
    transport: Any = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        questions = ("What is the capital of France?", "Which river flows through Paris?")
        for response in await asyncio.gather(
            *(client.get("/completion", params={"question": question}) for question in questions)
        ):
            print(response.json())


def main() -> None:
    """Record two requests and stop."""
    agentops.init(auto_start_session=False)
    asyncio.run(two_requests())


if __name__ == "__main__":
    if os.environ.get("OPENAI_API_KEY"):
        main()
    else:
        with StandIn() as model:
            os.environ["OPENAI_BASE_URL"] = model.url
            os.environ["OPENAI_API_KEY"] = "none"
            main()
else:
    agentops.init(auto_start_session=False)
