from tools.agent_client import AgentClient
import asyncio

async def main():
    # Create agent client
    client = AgentClient(
        agent_id="my-agent",
        capabilities=["python", "backend"],
        base_url="http://localhost:8000"
    )
    
    # Connect to orchestration service
    await client.connect()
    
    # Update status
    await client.update_status("busy", "Implementing feature", 0.7)
    
    # Report code change
    await client.report_code_change("src/main.py", "modified")
    
    # Send message to another agent
    await client.send_message_to_agent("dev-agent", {
        "action": "request_help",
        "message": "Need assistance with database schema"
    })
    
    # Keep running
    while True:
        await asyncio.sleep(1)

if __name__ == "__main__":
    asyncio.run(main())
